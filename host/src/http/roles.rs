//! Routes with who may use each of their methods, declared beside the handler.
//!
//! Not the token (`bearer`). Called by `routes`.
//!
//! **Architecture invariant:** a handler for which nobody is named is no route: [`Api::route`] takes
//! nothing else, and a request for a path or a method that is not in the table is refused.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use accredit_operations::principal::Role;
use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use tower_http::timeout::TimeoutLayer;

use crate::http::body;
use crate::server::state::Service;

/// Who may use a method of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The staff, from this role on.
    Staff(Role),
    /// The same, and sources, each for deals in its scope.
    StaffAndSources(Role),
    /// The same as `Staff`, and on the server of a demonstration callers who are not known.
    StaffOrDemo(Role),
    /// Payees, each for what is their own.
    Payees,
    /// Every caller who is known.
    Everyone,
    /// Callers who are not known, too: to sign in.
    Public,
}

impl Access {
    /// Whether callers with this role may use it.
    pub(crate) fn admits(self, role: Role) -> bool {
        match self {
            Access::Staff(least) | Access::StaffOrDemo(least) => role.is_staff() && role >= least,
            Access::StaffAndSources(least) => {
                role == Role::Source || Access::Staff(least).admits(role)
            }
            Access::Payees => role == Role::Payee,
            Access::Everyone | Access::Public => true,
        }
    }

    /// The least role that it asks for, in words.
    pub(crate) fn least_role(self) -> &'static str {
        match self {
            Access::Staff(least) | Access::StaffAndSources(least) | Access::StaffOrDemo(least) => {
                least.name()
            }
            Access::Payees | Access::Everyone | Access::Public => Role::Payee.name(),
        }
    }
}

/// A handler of one method that still needs to know who may use it.
pub(crate) struct WithoutRole {
    method: Method,
    router: MethodRouter<Arc<Service>>,
}

impl WithoutRole {
    /// With the least role of the staff that may use it.
    pub(crate) fn with_role(self, role: Role) -> Methods {
        self.with_access(Access::Staff(role))
    }

    /// With those who may use it.
    pub(crate) fn with_access(self, access: Access) -> Methods {
        Methods { router: self.router, roles: vec![(self.method, access)] }
    }
}

/// The methods of a path, each with those who may use it.
pub(crate) struct Methods {
    router: MethodRouter<Arc<Service>>,
    roles: Vec<(Method, Access)>,
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

/// Who may use every method of every path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Roles(BTreeMap<&'static str, Vec<(Method, Access)>>);

impl Roles {
    /// Who may use a method of a path, the path as it is declared; none where there is no such route.
    pub(crate) fn access_of(&self, path: &str, method: &Method) -> Option<Access> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let methods = self.0.get(path)?.iter();
        methods.filter(|(known, _)| known == method).map(|(_, access)| *access).next()
    }

    /// The methods of a path, for `Allow`.
    pub(crate) fn allowed_methods(&self, path: &str) -> String {
        let methods = self.0.get(path).into_iter().flatten();
        let names: Vec<&str> = methods.map(|(method, _)| method.as_str()).collect();
        names.join(", ")
    }

    /// Every route: path, method, who may use it.
    #[cfg(test)]
    pub(crate) fn all_routes(&self) -> Vec<(&'static str, Method, Access)> {
        let routes = self.0.iter();
        let routes = routes.flat_map(|(path, methods)| {
            methods.iter().map(|(method, access)| (*path, method.clone(), *access))
        });
        routes.collect()
    }
}

/// Routes for whose every method it is said who may use it.
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
