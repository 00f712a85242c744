//! The `vmm` program.

fn main() {
    std::process::exit(vmm::main(std::env::args_os().skip(1)));
}
