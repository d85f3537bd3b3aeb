//! Alipay, against published vectors and against our own, which Python's `cryptography` made (tests/vectors/README.md).

mod answers;
mod requests;
mod signatures;
mod statements;
mod vectors;
