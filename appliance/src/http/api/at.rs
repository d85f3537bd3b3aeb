//! The calls of one address: each method with its handler, `HEAD` with `GET`, and for any other a problem that says which
//! there are.

use actix_web::dev::Handler;
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Resource, Responder, Route};

use super::super::problem::Problem;

/// An address and its methods so far.
pub(in crate::http) struct At {
    resource: Resource,
    methods: Vec<&'static str>,
}

impl At {
    /// At this address, as `/api/v1/cards/{number}`.
    pub(in crate::http) fn new(path: &str) -> Self {
        Self { resource: web::resource(path), methods: vec![] }
    }

    /// `GET`, and `HEAD` as it.
    pub(in crate::http) fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let head = web::head().to(handler.clone());
        self.method("GET", web::get().to(handler)).method("HEAD", head)
    }

    /// `POST`.
    pub(in crate::http) fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method("POST", web::post().to(handler))
    }

    /// `PUT`.
    pub(in crate::http) fn put<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method("PUT", web::put().to(handler))
    }

    /// `PATCH`.
    pub(in crate::http) fn patch<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method("PATCH", web::method(Method::PATCH).to(handler))
    }

    /// `DELETE`.
    pub(in crate::http) fn delete<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method("DELETE", web::delete().to(handler))
    }

    fn method(mut self, name: &'static str, route: Route) -> Self {
        self.methods.push(name);
        Self { resource: self.resource.route(route), methods: self.methods }
    }

    /// Enters it.
    pub(in crate::http) fn enter(self, app: &mut ServiceConfig) {
        let allow = self.methods.join(", ");
        let refuse = move || {
            let allow = allow.clone();
            async move { Err::<&'static str, Problem>(Problem::method(&allow)) }
        };
        app.service(self.resource.default_service(web::to(refuse)));
    }
}
