//! Asking a library who it is, without creating it: in a child, as everything that runs a vendor's code.

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::confine::Allowance;
use super::descriptor::Descriptor;
use super::frame::{FromChild, ToChild};
use super::process::{Lost, Process};
use super::sealed::{LibraryError, SealedLibrary};
use super::short;
use super::trust::{Identity, Trust};

/// How long a library may take to load.
const LOAD_WITHIN: Duration = Duration::from_secs(5);
/// How long it may take to end.
const END_WITHIN: Duration = Duration::from_millis(500);

/// Why a library does not say who it is.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
    /// The box does not take it in; nothing of it has run.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// Its process cannot be started.
    #[error("the driver's process does not start: {0}")]
    Process(#[from] std::io::Error),
    /// It does not load, or says nothing that fits.
    #[error("the driver {path} does not say who it is: {why}")]
    Silent {
        /// The file.
        path: String,
        /// What happened instead.
        why: String,
    },
}

/// Loads a library in a locked-up child, reads its descriptor, and ends the child. It must be called inside a tokio
/// runtime; `host_executable` is a program whose `main` calls [`super::child_main`] first.
pub async fn describe(
    library: &Path,
    host_executable: &Path,
    trust: &Trust,
) -> Result<(Identity, Descriptor), DescribeError> {
    let sealed = SealedLibrary::take(library, trust)?;
    let descriptor = describe_sealed(&sealed, host_executable).await?;
    Ok((sealed.identity().clone(), descriptor))
}

/// The same of a library that the box has taken in already.
pub async fn describe_sealed(sealed: &SealedLibrary, host_executable: &Path) -> Result<Descriptor, DescribeError> {
    let mut process = Process::start(host_executable, sealed).await?;
    let said = timeout(LOAD_WITHIN, ask(&mut process, sealed.path())).await;
    process.stop(END_WITHIN).await;
    let ended = process.end().await;
    let agreed = match said {
        Ok(Ok(descriptor)) => sealed.agree(&descriptor).map(|()| descriptor).map_err(|fault| fault.to_string()),
        Ok(Err(Lost(why))) => Err(format!("{why} ({ended})")),
        Err(_) => Err(format!("its library did not finish loading ({ended})")),
    };
    agreed.map_err(|why| DescribeError::Silent { path: sealed.path().display().to_string(), why })
}

async fn ask(process: &mut Process, library: &Path) -> Result<Descriptor, Lost> {
    let allowance = Allowance::default();
    process.send(&ToChild::Load { library: library.to_string_lossy().into_owned(), allowance }).await?;
    loop {
        match process.next().await?.0 {
            FromChild::Described { descriptor } => return Descriptor::read(&descriptor).map_err(Lost),
            FromChild::Failed { reason, .. } => return Err(Lost(short(&reason, 1000))),
            // A constructor may write lines; whatever else it sends is not asked for.
            _ => {}
        }
    }
}
