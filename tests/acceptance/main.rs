//! Black-box tests: the real binary, real files, a real server on loopback.

mod tidy;
