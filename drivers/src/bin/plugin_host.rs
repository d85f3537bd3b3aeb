//! A process that can be nothing but a plugin host's child: for this crate's tests and benchmarks. The appliance is its
//! own host.

fn main() {
    tollhouse_drivers::plugin::child_main();
    tollhouse_drivers::plugin::probe_main();
    eprintln!("this program is started by plugin hosts, not by hand");
    std::process::exit(2);
}
