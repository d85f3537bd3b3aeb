//! WeChat Pay, against published vectors and against our own, which Python's `cryptography` made (tests/vectors/README.md).

mod callbacks;
mod published;
mod requests;
mod statements;
mod states;
mod vectors;
