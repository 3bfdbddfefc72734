//! Routes with the role that each of their methods asks for, declared beside the handler.
//!
//! Not the token (`bearer`). Called by `routes`.
//!
//! **Architecture invariant:** a handler without a role is no route: [`Api::route`] takes nothing
//! else, and a request for a path or a method that is not in the table is refused.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use tower_http::timeout::TimeoutLayer;

use crate::http::body;
use crate::server::role::Role;
use crate::server::state::Service;

/// A handler of one method that still needs its role.
pub(crate) struct WithoutRole {
    method: Method,
    router: MethodRouter<Arc<Service>>,
}

impl WithoutRole {
    /// With the least role that may use it.
    pub(crate) fn with_role(self, role: Role) -> Methods {
        Methods { router: self.router, roles: vec![(self.method, role)] }
    }
}

/// The methods of a path, each with its role.
pub(crate) struct Methods {
    router: MethodRouter<Arc<Service>>,
    roles: Vec<(Method, Role)>,
}

impl Methods {
    /// These methods and others.
    pub(crate) fn and_methods(self, other: Methods) -> Methods {
        let router = self.router.merge(other.router);
        Methods { router, roles: [self.roles, other.roles].concat() }
    }
}

/// A handler of `GET`, which answers `HEAD` as well.
pub(crate) fn get<T: 'static>(handler: impl Handler<T, Arc<Service>>) -> WithoutRole {
    WithoutRole { method: Method::GET, router: axum::routing::get(handler) }
}

/// A handler of `POST`.
pub(crate) fn post<T: 'static>(handler: impl Handler<T, Arc<Service>>) -> WithoutRole {
    WithoutRole { method: Method::POST, router: axum::routing::post(handler) }
}

/// A handler of `PUT`.
pub(crate) fn put<T: 'static>(handler: impl Handler<T, Arc<Service>>) -> WithoutRole {
    WithoutRole { method: Method::PUT, router: axum::routing::put(handler) }
}

/// A handler of `DELETE`.
pub(crate) fn delete<T: 'static>(handler: impl Handler<T, Arc<Service>>) -> WithoutRole {
    WithoutRole { method: Method::DELETE, router: axum::routing::delete(handler) }
}

/// The role of every method of every path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Roles(BTreeMap<&'static str, Vec<(Method, Role)>>);

impl Roles {
    /// The role that a method of a path asks for, the path as it is declared; none where there is no
    /// such route.
    pub(crate) fn role_of(&self, path: &str, method: &Method) -> Option<Role> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let methods = self.0.get(path)?.iter();
        methods.filter(|(known, _)| known == method).map(|(_, role)| *role).next()
    }

    /// The methods of a path, for `Allow`.
    pub(crate) fn allowed_methods(&self, path: &str) -> String {
        let methods = self.0.get(path).into_iter().flatten();
        let names: Vec<&str> = methods.map(|(method, _)| method.as_str()).collect();
        names.join(", ")
    }

    /// Every route: path, method, role.
    #[cfg(test)]
    pub(crate) fn all_routes(&self) -> Vec<(&'static str, Method, Role)> {
        let routes = self.0.iter();
        let routes = routes.flat_map(|(path, methods)| {
            methods.iter().map(|(method, role)| (*path, method.clone(), *role))
        });
        routes.collect()
    }
}

/// Routes whose every method has a role.
#[derive(Default)]
pub(crate) struct Api {
    router: Router<Arc<Service>>,
    roles: Roles,
}

impl Api {
    /// With a path and its methods.
    pub(crate) fn route(mut self, path: &'static str, methods: Methods) -> Api {
        self.roles.0.entry(path).or_default().extend(methods.roles);
        Api { router: self.router.route(path, methods.router), roles: self.roles }
    }

    /// These routes and others.
    pub(crate) fn merge(mut self, other: Api) -> Api {
        for (path, methods) in other.roles.0 {
            self.roles.0.entry(path).or_default().extend(methods);
        }
        Api { router: self.router.merge(other.router), roles: self.roles }
    }

    /// With a limit on the bytes of a body, for every route so far.
    pub(crate) fn body_limit(self, bytes: usize) -> Api {
        let router = self.router.layer(from_fn_with_state(bytes, body::limit_body));
        Api { router, roles: self.roles }
    }

    /// With the limits of bodies of definitions, for every route so far.
    pub(crate) fn definitions_limit(self, bytes: usize) -> Api {
        let router = self.router.layer(from_fn_with_state(bytes, body::limit_definitions));
        Api { router, roles: self.roles }
    }

    /// With a limit on the time of a request, its body included, for every route so far.
    pub(crate) fn time_limit(self, time: Duration) -> Api {
        let layer = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, time);
        Api { router: self.router.layer(layer), roles: self.roles }
    }

    /// The routes, and the table of their roles.
    pub(crate) fn into_parts(self) -> (Router<Arc<Service>>, Roles) {
        (self.router, self.roles)
    }
}
