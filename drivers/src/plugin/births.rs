//! The one thread that starts children. A child asks the kernel to be killed when the thread that started it ends, so that
//! thread has to live as long as the box; and starting a process takes a millisecond that no lane should wait.
//!
//! It must not know what the children are.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Birth {
    command: Command,
    runtime: Handle,
    born: oneshot::Sender<io::Result<Child>>,
}

/// Unbounded, since each caller has one birth under way and waits for it.
fn births() -> io::Result<Sender<Birth>> {
    static THREAD: OnceLock<Result<Sender<Birth>, io::ErrorKind>> = OnceLock::new();
    let begun = THREAD.get_or_init(|| {
        let (sender, receiver) = channel::<Birth>();
        let thread = std::thread::Builder::new().name("driver-births".to_owned()).spawn(move || {
            for Birth { mut command, runtime, born } in receiver {
                // A runtime that is shutting down panics; the thread has to outlive it, for the others' sake.
                let spawned = catch_unwind(AssertUnwindSafe(|| {
                    let _inside = runtime.enter();
                    command.spawn()
                }));
                let spawned = spawned.unwrap_or_else(|_| Err(io::Error::other("the box is ending")));
                // Nobody waits any more when the host was closed meanwhile: then the child is dropped, and killed by that.
                let _ = born.send(spawned);
            }
        });
        thread.map(|_| sender).map_err(|fault| fault.kind())
    });
    begun.clone().map_err(io::Error::from)
}

/// Starts a child.
pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    let (born, birth) = oneshot::channel();
    let gone = || io::Error::other("the thread that starts drivers is gone");
    births()?.send(Birth { command, runtime: Handle::current(), born }).map_err(|_| gone())?;
    birth.await.map_err(|_| gone())?
}
