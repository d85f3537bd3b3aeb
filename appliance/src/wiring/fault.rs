//! Why the box could not start.

use std::io;
use std::path::PathBuf;

use crate::http::HttpError;
use crate::metrics::MetricsError;
use crate::secret::SecretError;
use crate::store::StoreError;
use crate::tariffs::{KeepError, TariffFault};

/// Why the box could not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The box's key could not be read or made.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The server could not listen.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Metrics are wrongly declared: a bug.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A driver's file is no driver.
    #[error("driver {name}: {fault}")]
    Driver {
        /// The instance.
        name: String,
        /// What is wrong.
        fault: String,
    },
    /// The list of revoked drivers could not be read: without it nobody knows which may run.
    #[error("{0}")]
    Revocations(String),
    /// The sandbox's book could not be opened.
    #[error("the sandbox's book cannot be opened: {0}")]
    Sandbox(io::Error),
    /// The keys of accounts at providers; each fault with its key of the configuration.
    #[error("{0}\n`tollhouse check` tells the lines")]
    Accounts(String),
    /// What the numbers of orders begin with could not be read or written.
    #[error("the file order-prefix in the data folder cannot be read or written: {0}")]
    Prefix(io::Error),
    /// The control socket could not be made.
    #[error(
        "the control socket cannot be made in the data folder: {0}; a socket path has at most 107 characters, so choose a shorter data folder if that is it"
    )]
    Control(io::Error),
    /// No thread for the bills.
    #[error("this machine gives no thread for the bills: {0}")]
    Bills(io::Error),
    /// Nobody can keep pictures.
    #[error("pictures cannot be kept: {0}")]
    Pictures(io::Error),
    /// The tariff is faulty; each fault with its place.
    #[error("{0}\ncorrect it, and try it with `tollhouse tariff check FILE`")]
    Tariff(String),
    /// A version of the tariff could not be put on record.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The broker's password could not be read.
    #[error("the broker's password cannot be read from {0}: {1}")]
    Password(PathBuf, io::Error),
    /// This program's own file could not be found, which plugin hosts are started from.
    #[error("the program's own file cannot be found: {0}")]
    Executable(io::Error),
}

impl StartError {
    pub(super) fn tariff(faults: &[TariffFault]) -> Self {
        Self::Tariff(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }
}
