//! What all calls have in common in the description: the problems that they answer, how one signs in, and the
//! `Idempotency-Key`.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Components, Object, Schema};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Content, ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Type,
};

use super::caller::COOKIE;

/// What every call that only reads may answer beside what it is asked for.
pub(in crate::http) struct Problems;
/// What every call that changes something may answer.
pub(in crate::http) struct WriteProblems;

const READING: &[(&str, &str)] = &[
    ("400", "What was sent cannot be read; `errors` names the fields"),
    ("401", "Sign in first: a bearer token, a session, or name and password"),
    ("403", "Your roles do not have the permission"),
    ("404", "Nothing of this name"),
    ("414", "The address is too long"),
    ("429", "Too many failed tries to sign in; Retry-After says when to try again"),
    ("500", "A fault of the box; its log says more"),
    ("503", "The box is busy: try again later"),
];
const WRITING: &[(&str, &str)] = &[
    ("409", "It stands against what is on record, or a request with this Idempotency-Key is still in flight"),
    ("413", "The body is too large"),
    ("415", "The body is not JSON"),
    ("422", "The Idempotency-Key stands for another request"),
];

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        set(READING)
    }
}

impl IntoResponses for WriteProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = set(READING);
        all.extend(set(WRITING));
        all
    }
}

/// The media type of every refusal.
const PROBLEM: &str = "application/problem+json";

fn document() -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemDocument"))).build()
}

fn set(of: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let response =
        |description: &str| ResponseBuilder::new().description(description).content(PROBLEM, document()).build();
    of.iter().map(|(status, description)| ((*status).to_owned(), response(description).into())).collect()
}

/// How one signs in, and what every signed call has.
pub(super) fn finish(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let http = |scheme, description: &str| {
        SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(description)).build())
    };
    open_parts(components);
    components.add_security_scheme("bearer", http(HttpAuthScheme::Bearer, "`tollhouse user token NAME` prints one"));
    components.add_security_scheme("basic", http(HttpAuthScheme::Basic, "Name and password of an account"));
    let cookie = ApiKeyValue::with_description(COOKIE, "`POST /api/v1/sessions` sets it");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    for (path, item) in &mut document.paths.paths {
        let posts = item.post.as_mut().map(|operation| (HttpMethod::Post, operation));
        let others = [&mut item.get, &mut item.put, &mut item.patch, &mut item.delete];
        let others = others.into_iter().flatten().map(|operation| (HttpMethod::Get, operation));
        for (method, operation) in posts.into_iter().chain(others) {
            add_common(path, operation);
            finish_operation(&method, operation);
        }
    }
}

/// A body that is refused with any further field may be a part of an answer that has further ones (`allOf`): there it is
/// described without the bound.
fn open_parts(components: &mut Components) {
    let closed: BTreeMap<String, Object> = (components.schemas.iter())
        .filter_map(|(name, schema)| match schema {
            RefOr::T(Schema::Object(object))
                if matches!(object.additional_properties.as_deref(), Some(AdditionalProperties::FreeForm(false))) =>
            {
                Some((format!("#/components/schemas/{name}"), object.clone()))
            }
            _ => None,
        })
        .collect();
    components.schemas.values_mut().for_each(|schema| open_parts_of(schema, &closed));
}

fn open_parts_of(schema: &mut RefOr<Schema>, closed: &BTreeMap<String, Object>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::AllOf(whole) => {
            for part in &mut whole.items {
                if let RefOr::Ref(named) = part
                    && let Some(object) = closed.get(&named.ref_location)
                {
                    let mut object = object.clone();
                    object.additional_properties = None;
                    *part = RefOr::T(Schema::Object(object));
                }
                open_parts_of(part, closed);
            }
        }
        Schema::Object(object) => object.properties.values_mut().for_each(|one| open_parts_of(one, closed)),
        Schema::Array(list) => {
            if let ArrayItems::RefOrSchema(each) = &mut list.items {
                open_parts_of(each, closed);
            }
        }
        _ => {}
    }
}

/// What any call answers to what cannot be read. A page says it as a page to who wants one.
fn add_common(path: &str, operation: &mut Operation) {
    let asked = operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty());
    let has_body = operation.request_body.is_some();
    let mut statuses = vec!["414"];
    statuses.extend((asked || has_body).then_some("400"));
    statuses.extend(path.contains('{').then_some("404"));
    statuses.extend(if has_body { vec!["413", "415"] } else { vec![] });
    let known = READING.iter().chain(WRITING);
    let wanted: Vec<(&str, &str)> = known.copied().filter(|(status, _)| statuses.contains(status)).collect();
    for (status, response) in set(&wanted) {
        operation.responses.responses.entry(status).or_insert(response);
    }
    if path.starts_with("/api/") {
        return;
    }
    let text = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build();
    let refused = |status: &str| status.starts_with('4') || status.starts_with('5');
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && refused(status)
        {
            response.content.entry("text/html".to_owned()).or_insert_with(|| RefOr::T(text.clone()));
            response.content.entry(PROBLEM.to_owned()).or_insert_with(|| RefOr::T(document()));
        }
    }
}

fn finish_operation(method: &HttpMethod, operation: &mut Operation) {
    let answers = &operation.responses.responses;
    if !answers.contains_key("401") || operation.security.is_some() {
        return;
    }
    let named = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    operation.security = Some(["bearer", "session", "basic"].into_iter().map(named).collect());
    let parameters = operation.parameters.get_or_insert_default();
    let has_key =
        parameters.iter().any(|one| matches!(one, RefOr::T(parameter) if parameter.name == "Idempotency-Key"));
    if *method == HttpMethod::Post && answers.contains_key("409") && !has_key {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
        let parameter = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("1 to 255 visible ASCII characters: the same request under the same key is done once"))
            .schema(Some(text.pattern(Some("^[!-~]{1,255}$")).build()));
        parameters.push(parameter.build().into());
    }
}
