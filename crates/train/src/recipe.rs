//! Recipes: the settings with which a paper trained its network, to begin from.

use crate::{Rule, Shape, TrainConfig, TrainError};

/// Settings of a paper, by name. Each is a starting point: whoever takes one may change any setting afterwards.
///
/// ```
/// use train::{Recipe, Rule};
/// let config = Recipe::find("inception-v3")?.config("shapes", Some("resnet20"))?;
/// assert!(matches!(config.optimiser, Rule::RmsProp { .. }));
/// assert_eq!((config.label_smoothing, config.clip_norm), (0.1, Some(2.0)));
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct Recipe {
    /// The name it is asked for by.
    pub name: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// The network it was made for.
    pub model: &'static str,
    /// The learning rate, and the batch it goes with.
    rate: (f64, usize),
    /// Everything else.
    settings: fn(&mut TrainConfig),
}

/// Szegedy et al. 2015, section 8, with what their code adds: momentum 0.9 beside the mean square and a weight decay
/// of 0.00004. The auxiliary head and its norms are part of the network. The rate belongs to the 32 pictures of one
/// of their fifty workers, each of which moved the weights by itself.
const INCEPTION_V3: Recipe = Recipe {
    name: "inception-v3",
    paper: "Szegedy et al. 2015, Rethinking the Inception architecture for computer vision, arXiv:1512.00567",
    model: "inception_v3",
    rate: (0.045, 32),
    settings: |config| {
        config.optimiser = Rule::RmsProp {
            alpha: 0.9,
            epsilon: 1.0,
            momentum: 0.9,
        };
        config.weight_decay = 4e-5;
        config.schedule = Shape::Exponential {
            gamma: 0.94,
            epochs: 2.0,
        };
        config.label_smoothing = 0.1;
        config.clip_norm = Some(2.0);
        config.epochs = 100;
        config.batch_size = 32;
    },
};

impl Recipe {
    /// Every recipe.
    pub const ALL: &[Self] = &[INCEPTION_V3];

    /// The recipe of that name.
    ///
    /// # Errors
    /// [`TrainError::Config`] with the names there are.
    pub fn find(name: &str) -> Result<&'static Self, TrainError> {
        let found = Self::ALL.iter().find(|recipe| recipe.name == name);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|recipe| recipe.name).collect();
            TrainError::Config(format!("recipe '{name}' is none of {}", names.join(", ")))
        })
    }

    /// The settings for a data set, and for another network than the recipe's own if one is named.
    ///
    /// # Errors
    /// [`TrainError::Zoo`] for a network that is not there.
    pub fn config(&self, data: &str, model: Option<&str>) -> Result<TrainConfig, TrainError> {
        let mut config = TrainConfig::new(data, model.unwrap_or(self.model))?;
        (self.settings)(&mut config);
        config.learning_rate = self.learning_rate(config.batch_size);
        Ok(config)
    }

    /// The learning rate for batches of another size: in proportion, as a step then replaces so many of the paper's
    /// (Goyal et al. 2017).
    pub fn learning_rate(&self, batch: usize) -> f64 {
        let (rate, pictures) = self.rate;
        rate * batch as f64 / pictures as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_is_found_and_makes_sense() {
        for recipe in Recipe::ALL {
            let found = Recipe::find(recipe.name).unwrap();
            let config = found.config("shapes", Some("resnet20")).unwrap();
            config.check().unwrap();
            assert_eq!(TrainConfig::from_toml(&config.to_toml()), Ok(config));
        }
        let error = Recipe::find("inception").unwrap_err().to_string();
        assert!(
            error.starts_with("recipe 'inception' is none of inception-v3"),
            "{error}"
        );
    }

    #[test]
    fn the_rate_goes_with_the_batch() {
        assert_eq!(INCEPTION_V3.learning_rate(32), 0.045);
        assert_eq!(INCEPTION_V3.learning_rate(8), 0.045 / 4.0);
    }
}
