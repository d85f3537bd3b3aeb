//! What browsers and programs see of the box. Owns routes, pages and problem documents; decides nothing about cars or
//! money: it asks the actors by their messages and shows what they answer.

mod api;
mod assets;
mod browser;
mod client;
mod doors;
mod drafts;
mod drivers;
mod language;
mod live;
mod notify;
mod openapi;
mod opening;
mod operate;
mod page;
mod pay;
mod pay_arrears;
mod pay_page;
mod plate_look;
mod problem;
mod rate;
mod routes;
mod sandbox;
mod tariffs;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{App, HttpServer};

use api::Entry;
pub use doors::Doors;
pub use rate::{Monotonic, Rates};

/// How long a client may take to send a request's head.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Event streams never end by themselves: at the end of the box they are cut after this.
const SHUTDOWN_TIMEOUT_S: u64 = 1;
/// Per worker: phones, the guard's screen, Prometheus.
const MAX_CONNECTIONS: usize = 1024;

/// Nothing but this box's own files, no frames, no forms elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Why the box cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken or not this machine's.
    #[error("the box cannot listen at {0}: {1}; choose another address under [http] listen")]
    Listen(SocketAddr, std::io::Error),
}

/// Starts serving on two threads of its own. Gives the address (port 0 is resolved), a handle that stops it, and a
/// future that ends when it has stopped. Signals are left to the caller.
pub fn serve(listen: SocketAddr, doors: Doors) -> Result<(SocketAddr, ServerHandle, Server), HttpError> {
    let failed = |error| HttpError::Listen(listen, error);
    let doors = Arc::new(doors);
    let rates = Arc::new(Rates::new(rate::since_start()));
    let entry = Arc::new(Entry::new(rate::since_start()));
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(problem::as_documents))
            .wrap(headers())
            .configure(|app| routes::configure(app, &doors, &rates, &entry))
    })
    .workers(2)
    .disable_signals()
    .tcp_nodelay(true)
    .max_connections(MAX_CONNECTIONS)
    .client_request_timeout(REQUEST_HEAD_TIMEOUT)
    .shutdown_timeout(SHUTDOWN_TIMEOUT_S)
    .bind(listen)
    .map_err(failed)?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    let server = server.run();
    Ok((address, server.handle(), server))
}

/// What every answer carries unless its handler says otherwise: nothing is kept, nothing is guessed, nobody is told.
fn headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("Content-Security-Policy", CONTENT_SECURITY_POLICY))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("Cache-Control", "no-store"))
}

#[cfg(test)]
mod tests;
