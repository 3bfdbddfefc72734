//! Black-box tests: the real binary, real files, a real server on loopback.

mod company;
mod crm;
mod restart;
mod server;
mod swap;
mod tidy;
