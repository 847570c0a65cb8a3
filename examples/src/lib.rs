//! What the example jobs share: the generator of their sample data. The jobs themselves are in `bin/`, one a file.

pub use flow_samples as generate;
