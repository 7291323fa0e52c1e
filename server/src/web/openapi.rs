//! The words in which `openapi.json` describes a route, and the document made of them.
//!
//! A description says what is particular to a route: what it is asked with and what it answers. What follows from its
//! method and from what it needs of whoever asks is added here, the same for all: how one shows who one is, and why a
//! request may be denied.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use model::outcome::ProblemDetails;
use utoipa::{
    IntoParams, PartialSchema as _, ToSchema,
    openapi::{
        Components, Content, HttpMethod, Info, License, ObjectBuilder, OpenApi, Paths, Ref, RefOr, Required, Response,
        Schema, Type,
        path::{Operation, Parameter, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::SchemaType,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::route::Route;
use crate::auth::{authn::credentials::SESSION_COOKIE, authz::policy::Permission};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// The two ways in which a program shows who it is, by the names that they have in the document.
const TOKEN: &str = "token";
const SESSION: &str = "session";

/// What `openapi.json` says of a route.
#[derive(Clone)]
pub(super) struct Description {
    operation: Operation,
    has_query: bool,
    has_body: bool,
    /// By status.
    answers: BTreeMap<u16, Response>,
    /// Every type that it names, with those that they are made of.
    schemas: Vec<(String, RefOr<Schema>)>,
}

/// Begins a description: the route's name for generated clients, and a sentence.
pub(super) fn describe(id: &str, summary: &str) -> Description {
    let mut operation = Operation::new();
    operation.operation_id = Some(id.to_owned());
    operation.summary = Some(summary.to_owned());
    Description { operation, has_query: false, has_body: false, answers: BTreeMap::new(), schemas: Vec::new() }
}

impl Description {
    /// What else there is to say.
    pub(super) fn details(mut self, text: &str) -> Self {
        self.operation.description = Some(text.to_owned());
        self
    }

    /// The query of the address.
    pub(super) fn query<Q: IntoParams>(mut self) -> Self {
        for mut parameter in Q::into_params(|| Some(ParameterIn::Query)) {
            parameter.schema = parameter.schema.map(without_null);
            self.parameters().push(RefOr::T(parameter));
        }
        self.has_query = true;
        self
    }

    /// A header that a request must have, with this value where it can have no other.
    pub(super) fn header(mut self, name: &str, value: Option<&str>) -> Self {
        let mut header = Parameter::new(name);
        header.parameter_in = ParameterIn::Header;
        let text = ObjectBuilder::new().schema_type(Type::String);
        header.schema = Some(text.enum_values(value.map(|value| [value])).into());
        self.parameters().push(RefOr::T(header));
        self
    }

    fn parameters(&mut self) -> &mut Vec<RefOr<Parameter>> {
        self.operation.parameters.get_or_insert_default()
    }

    /// The body, as JSON.
    pub(super) fn body<B: ToSchema>(mut self) -> Self {
        let body = RequestBodyBuilder::new().content(JSON, self.content::<B>()).required(Some(Required::True));
        self.operation.request_body = Some(RefOr::T(body.build()));
        self.has_body = true;
        self
    }

    /// The answer of a request that is well, as JSON.
    pub(super) fn answer<A: ToSchema>(mut self, what: &str) -> Self {
        let content = self.content::<A>();
        self.with_answer(StatusCode::OK, what, &[(JSON, content)])
    }

    /// The answer of a request that is well, as JSON whose shape another standard describes.
    pub(super) fn object(self, what: &str) -> Self {
        let object = Content::new(Some(ObjectBuilder::new().schema_type(Type::Object)));
        self.with_answer(StatusCode::OK, what, &[(JSON, object)])
    }

    /// The answer of a request that is well, as text of one of these types.
    pub(super) fn text(self, what: &str, kinds: &[&'static str]) -> Self {
        let contents: Vec<_> = kinds.iter().map(|kind| (*kind, Content::new(Some(String::schema())))).collect();
        self.with_answer(StatusCode::OK, what, &contents)
    }

    /// The answer of a request that is well, without a body.
    pub(super) fn empty(self, status: StatusCode, what: &str) -> Self {
        self.with_answer(status, what, &[])
    }

    /// A denial that only this route, or few, give; those that follow from method and permission are there anyway.
    pub(super) fn problem(mut self, status: StatusCode, why: &str) -> Self {
        let content = self.content::<ProblemDetails>();
        self.with_answer(status, why, &[(PROBLEM, content)])
    }

    fn with_answer(mut self, status: StatusCode, what: &str, contents: &[(&str, Content)]) -> Self {
        let answer = self.answers.entry(status.as_u16()).or_insert_with(|| Response::new(what));
        answer.content.extend(contents.iter().map(|(kind, content)| ((*kind).to_owned(), content.clone().into())));
        self
    }

    /// A type by its name in the document, which then has it.
    fn content<T: ToSchema>(&mut self) -> Content {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
        Content::new(Some(Ref::from_schema_name(T::name())))
    }

    /// The whole of it, for a route.
    fn operation(mut self, route: &Route) -> (Operation, Vec<(String, RefOr<Schema>)>) {
        for (status, why) in denials(route, self.has_query, self.has_body) {
            if !self.answers.contains_key(&status.as_u16()) {
                self = self.problem(status, why);
            }
        }
        let answers = self.answers.into_iter().map(|(status, answer)| (status.to_string(), RefOr::T(answer)));
        self.operation.responses.responses = answers.collect();
        let schemes = schemes(route.permission).iter().map(|scheme| SecurityRequirement::new(*scheme, [""; 0]));
        self.operation.security = Some(schemes.collect()).filter(|schemes: &Vec<_>| !schemes.is_empty());
        (self.operation, self.schemas)
    }
}

/// A schema without null, which an address has no way to write: what may be left out is not required.
fn without_null(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema
        && let SchemaType::Array(types) = &mut object.schema_type
    {
        types.retain(|kind| *kind != Type::Null);
    }
    schema
}

/// Why any request to a route may be denied.
fn denials(route: &Route, has_query: bool, has_body: bool) -> Vec<(StatusCode, &'static str)> {
    // The check of Host and Origin stands before every route.
    let mut all = vec![
        (StatusCode::BAD_REQUEST, "The request can't be read"),
        (StatusCode::MISDIRECTED_REQUEST, "The request names no host that Sluice answers to"),
        (StatusCode::SERVICE_UNAVAILABLE, "Sluice can't read or write its database, or has no room for another one"),
    ];
    if has_query {
        all[0].1 = "The request can't be read, or its query is not as described";
    }
    if route.permission == Permission::Public {
        all.push((StatusCode::FORBIDDEN, "The request comes from another site's page, or past the reverse proxy"));
    } else {
        all.push((StatusCode::UNAUTHORIZED, "Nobody is logged in, and no token is shown"));
        all.push((StatusCode::FORBIDDEN, "Whoever asks may not do this, or asks from another site's page"));
    }
    if has_body {
        all[0].1 = "The request can't be read, or its body is not JSON";
        all.push((StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not sent as `application/json`"));
        all.push((StatusCode::UNPROCESSABLE_ENTITY, "The body is not what is described"));
    }
    if !route.method.is_safe() {
        all.push((StatusCode::REQUEST_TIMEOUT, "The body took too long"));
        all.push((StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"));
    }
    all
}

/// How one may show who one is to a route. What is for people alone takes no token.
fn schemes(permission: Permission) -> &'static [&'static str] {
    match permission {
        Permission::Public => &[],
        Permission::OwnAccount | Permission::ManageAccounts => &[SESSION],
        Permission::ViewWall | Permission::View | Permission::ViewAll | Permission::Act | Permission::Admin => {
            &[TOKEN, SESSION]
        }
    }
}

/// The document as JSON.
pub(super) fn document<'d>(routes: impl Iterator<Item = (&'d Route, &'d Description)>) -> String {
    let (mut paths, mut components) = (Paths::new(), Components::new());
    for (route, description) in routes {
        let (operation, schemas) = description.clone().operation(route);
        paths.add_path_operation(&route.path, vec![http_method(&route.method)], operation);
        components.schemas.extend(schemas);
    }
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API token")).build();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(token));
    let session = ApiKeyValue::with_description(SESSION_COOKIE, "The cookie that `/api/v1/login` sets");
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    let mut info = Info::new("Sluice", env!("CARGO_PKG_VERSION"));
    info.description = Some("Real-time dashboard for HAProxy. Names are HAProxy's own wherever it has one.".to_owned());
    let mut license = License::new("MIT");
    license.identifier = Some("MIT".to_owned());
    info.license = Some(license);
    let mut document = OpenApi::new(info, paths);
    document.components = Some(components);
    // A document of texts, numbers and lists always is JSON.
    document.to_json().unwrap_or_default()
}

/// The method in utoipa's words; the list has no other.
fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
