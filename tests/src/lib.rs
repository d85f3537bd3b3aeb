//! Owns the harness of the whole-box tests.
