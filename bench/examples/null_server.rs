//! A server that answers at once. Prints its address and goes on until it is stopped.
//!
//! `cargo run --release -p lab-bench --example null_server -- 300` works 300 us on each
//! request.
#![expect(clippy::print_stdout, reason = "an example prints what it is for")]

use std::{error::Error, time::Duration};

use lab_bench::null::NullServer;

fn main() -> Result<(), Box<dyn Error>> {
    let micros = std::env::args().nth(1).map_or(Ok(0), |it| it.parse())?;
    let server = NullServer::start(Duration::from_micros(micros))?;
    println!("{}", server.url());
    loop {
        std::thread::park();
    }
}
