//! The documents: what they link to is there, what they show is what the program prints, what they have for an example is
//! compiled.

mod book;
mod links;
mod pages;
mod pictures;
mod tokens;
mod transcripts;
