//! Layers of deformable convolution and of pooling over regions.

use geometry::{ConvDesc, DeformableDesc, RegionsDesc, SliceDesc};
use tensor::Unary;

use super::NetworkBuilder;
use crate::{
    AlignSettings, DeformableOp, ElementType, GraphError, Init, Op, OpError, ParameterKind,
    RegionOp, Role, Value, ValueId,
};

impl NetworkBuilder {
    /// Deformable convolution with given offsets `[n, f·kh·kw·2, oh, ow]` and, where `desc` is modulated,
    /// a given mask `[n, f·kh·kw, oh, ow]`: `[n, c, h, w] → [n, o, oh, ow]`, weight `[o, c/g, kh, kw]`, bias
    /// `[o]`. The parameters are those of torchvision's `DeformConv2d`.
    ///
    /// # Errors
    /// A descriptor that does not fit `x`, offsets or a mask that do not fit it, or a name in use.
    pub fn deformable_conv(
        &mut self,
        name: &str,
        x: ValueId,
        offset: ValueId,
        mask: Option<ValueId>,
        desc: DeformableDesc,
        bias: bool,
    ) -> Result<ValueId, GraphError> {
        let layer = self.named(name)?;
        let input = self.shape(x)?;
        let geometry = desc.resolve(input);
        let geometry = geometry.map_err(OpError::on("deformable conv", input));
        let geometry = geometry.map_err(|error| error.in_layer(&layer))?;
        let weight = geometry.conv.weight_shape();
        let fan_in = weight[1..].iter().product();
        let parameters = self.weight_and_bias(&layer, self.conv_init, weight, fan_in, bias)?;
        let inputs = [x, offset].into_iter().chain(mask).chain(parameters);
        let inputs = inputs.collect();
        let op = DeformableOp::Conv { desc, bias };
        self.push(Op::Deformable(op), layer, inputs)
    }

    /// Deformable convolution that learns its offsets (Dai et al. 2017, §2.1) and, where `desc` is
    /// modulated, its mask (Zhu et al. 2018, §2.2): a convolution of the same kernel, stride, padding and
    /// dilation, `NAME.conv_offset`, makes them of `x`, first the channels of the offsets, then those
    /// whose sigmoid is the mask. It starts at zero, so that training begins with the plain convolution,
    /// or with half of it under a mask. Parameters are named as in mmcv.
    ///
    /// ```
    /// use geometry::{ConvDesc, DeformableDesc};
    /// use graph::NetworkBuilder;
    ///
    /// let mut network = NetworkBuilder::new("deformable", [1, 16, 28, 28]);
    /// let x = network.input();
    /// let desc = DeformableDesc::new(ConvDesc::new(32, 3).padding(1)).modulated(true);
    /// let y = network.deformable_layer("conv", x, desc, false)?;
    /// let network = network.finish(y)?;
    /// assert_eq!(network.value(y).shape, [1, 32, 28, 28]);
    /// let shapes: Vec<_> = network.parameters().map(|(_, p)| p.shape.clone()).collect();
    /// assert_eq!(shapes, [vec![27, 16, 3, 3], vec![27], vec![32, 16, 3, 3]]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// A descriptor that does not fit `x`, or a name in use.
    pub fn deformable_layer(
        &mut self,
        name: &str,
        x: ValueId,
        desc: DeformableDesc,
        bias: bool,
    ) -> Result<ValueId, GraphError> {
        let layer = self.named(&format!("{name}.conv_offset"))?;
        let input = self.shape(x)?.to_vec();
        let on_input = OpError::on("deformable conv", &input);
        let refused = |source| on_input(source).in_layer(&layer);
        let samples = desc.resolve(&input).map_err(refused)?.samples();
        let conv = ConvDesc {
            out_channels: if desc.modulated { 3 } else { 2 } * samples,
            groups: 1,
            ..desc.conv.clone()
        };
        let weight = conv.resolve(&input).map_err(refused)?.weight_shape();
        let parameters = self.zero_weight_and_bias(&layer, weight)?;
        let plain = Op::Conv {
            desc: conv,
            bias: true,
            residual: false,
            activation: None,
        };
        let made = self.push(plain, layer.clone(), [&[x], &parameters[..]].concat())?;
        if !desc.modulated {
            return self.deformable_conv(name, x, made, None, desc, bias);
        }
        // The samples were counted to be addressable.
        let channels = |from: usize, to: usize| SliceDesc::new().axis(1, from as i64, to as i64, 1);
        let offset = self.slice(made, channels(0, 2 * samples))?;
        let mask = self.slice(made, channels(2 * samples, 3 * samples))?;
        let mask = self.unary(mask, Unary::Sigmoid)?;
        self.deformable_conv(name, x, offset, Some(mask), desc, bias)
    }

    /// A further input of the network: a list of `count` regions `[count, 5]`, each
    /// `(image, x1, y1, x2, y2)`.
    ///
    /// # Errors
    /// A name in use.
    pub fn regions(&mut self, name: &str, count: usize) -> Result<ValueId, GraphError> {
        let name = self.named(name)?;
        let regions = self.graph.add_value(Value {
            name,
            shape: vec![count, 5],
            element: ElementType::Real,
            role: Role::Input,
        });
        self.graph.inputs.push(regions);
        Ok(regions)
    }

    /// RoI align (He et al. 2017) of regions `[r, 5]`: `[n, c, h, w] → [r, c, kh, kw]`. With offsets
    /// `[r, 2, kh, kw]`, given exactly when the settings have a gamma, deformable RoI pooling (Dai et al.
    /// 2017).
    ///
    /// # Errors
    /// Shapes or settings that do not go together.
    pub fn region_align(
        &mut self,
        x: ValueId,
        regions: ValueId,
        offset: Option<ValueId>,
        desc: RegionsDesc,
        settings: AlignSettings,
    ) -> Result<ValueId, GraphError> {
        let inputs = [x, regions].into_iter().chain(offset).collect();
        self.region(RegionOp::Align { desc, settings }, inputs)
    }

    /// RoI max pooling (Girshick 2015) of regions `[r, 5]`: `[n, c, h, w] → [r, c, kh, kw]`.
    ///
    /// # Errors
    /// Shapes or settings that do not go together.
    pub fn region_max_pool(
        &mut self,
        x: ValueId,
        regions: ValueId,
        desc: RegionsDesc,
        scale: f64,
    ) -> Result<ValueId, GraphError> {
        self.region(RegionOp::Max { desc, scale }, vec![x, regions])
    }

    /// Position-sensitive RoI pooling (Dai et al. 2016) of regions `[r, 5]`:
    /// `[n, c, h, w] → [r, c/(kh·kw), kh, kw]`.
    ///
    /// # Errors
    /// Shapes or settings that do not go together.
    pub fn region_average_pool(
        &mut self,
        x: ValueId,
        regions: ValueId,
        desc: RegionsDesc,
        scale: f64,
    ) -> Result<ValueId, GraphError> {
        self.region(RegionOp::Average { desc, scale }, vec![x, regions])
    }

    fn region(&mut self, op: RegionOp, inputs: Vec<ValueId>) -> Result<ValueId, GraphError> {
        let op = Op::Region(op);
        let layer = self.unnamed(op.name());
        self.push(op, layer, inputs)
    }

    /// Weight and bias that both start at zero.
    fn zero_weight_and_bias(
        &mut self,
        layer: &str,
        weight: Vec<usize>,
    ) -> Result<Vec<ValueId>, GraphError> {
        let outputs = weight[0];
        let zero = |kind| Role::parameter(kind, Init::Constant(0.0));
        let weight = self.kept(layer, "weight", weight, zero(ParameterKind::Weight))?;
        let bias = self.kept(layer, "bias", vec![outputs], zero(ParameterKind::Bias))?;
        Ok(vec![weight, bias])
    }
}
