//! What a program keeps between runs, parameters and states alike, by name.

use super::Program;

impl Program {
    /// Every parameter and state with its name and elements, in the order in which they were made, parameters first.
    ///
    /// ```
    /// use graph::NetworkBuilder;
    /// use runtime::{Program, RuntimeOptions};
    ///
    /// let mut network = NetworkBuilder::new("one layer", [1, 3]);
    /// let x = network.input();
    /// let y = network.linear("fc", x, 2)?;
    /// let mut program = Program::new(network.finish(y)?, &RuntimeOptions::default())?;
    /// program.fill_kept(|name, elements| {
    ///     elements.fill(if name == "fc.bias" { 1.0 } else { 0.5 });
    ///     Ok::<(), std::convert::Infallible>(())
    /// })?;
    /// let kept: Vec<_> = program.kept().collect();
    /// assert_eq!(kept, [("fc.weight", &[0.5; 6][..]), ("fc.bias", &[1.0; 2][..])]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kept(&self) -> impl Iterator<Item = (&str, &[f32])> {
        let parameters = self.slots().iter();
        let parameters =
            parameters.map(|slot| (&slot.name, &self.parameters()[slot.range.clone()]));
        let states = self.states().iter();
        let states = states.map(|slot| (&slot.name, &self.state()[slot.range.clone()]));
        let kept = parameters.chain(states);
        kept.map(|(name, elements)| (name.as_str(), elements))
    }

    /// Lets `fill` change the elements of every parameter and state, by its name.
    ///
    /// # Errors
    /// The first of `fill`; what was filled before stays so.
    pub fn fill_kept<E>(
        &mut self,
        mut fill: impl FnMut(&str, &mut [f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        for slot in self.slots().to_vec() {
            fill(&slot.name, &mut self.parameters_mut()[slot.range])?;
        }
        for slot in self.states().to_vec() {
            fill(&slot.name, &mut self.state_mut()[slot.range])?;
        }
        Ok(())
    }
}
