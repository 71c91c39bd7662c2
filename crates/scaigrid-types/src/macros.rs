//! What all endpoints write alike: declared in a few lines, so that a reader sees what differs.
//!
//! | macro | declares |
//! |---|---|
//! | `object!` | what the gateway sends: required fields, optional ones, and all that this version does not know |
//! | `request!` | what the caller sends as JSON: `new` with the required fields, and a setter for each optional one |
//! | `query!` | what the caller asks for in a query: a setter for each parameter |
//! | `by_id!` | a call that needs nothing but an id |
//! | `endpoint!` | [`Endpoint`](crate::Endpoint) for any of these: name, method, path, and how to decode |

/// A struct of a response: required fields first, then `;`, then optional ones, which are read as
/// [`Lenient`](crate::lenient::Lenient) says for their type, unless they have a `#[serde]` of their own. Unknown fields are
/// kept in `extra`.
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        $name:ident {
            $( $(#[doc = $rdoc:literal])* $(#[serde $rserde:tt])? $required:ident: $rtype:ty, )* ;
            $($optional:tt)*
        }
    ) => {
        crate::macros::object! {
            @fields {
                $(#[doc = $doc])*
                $name { $( $(#[doc = $rdoc])* $(#[serde $rserde])? pub $required: $rtype, )* }
            }
            { }
            $($optional)*
        }
    };
    // One optional field after the other moves to the second braces.
    (
        @fields { $($head:tt)* } { $($done:tt)* }
        $(#[doc = $doc:literal])* #[serde $serde:tt] $field:ident: $type:ty, $($rest:tt)*
    ) => {
        crate::macros::object! {
            @fields { $($head)* }
            {
                $($done)*
                $(#[doc = $doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[serde $serde]
                pub $field: Option<$type>,
            }
            $($rest)*
        }
    };
    (
        @fields { $($head:tt)* } { $($done:tt)* }
        $(#[doc = $doc:literal])* $field:ident: $type:ty, $($rest:tt)*
    ) => {
        crate::macros::object! {
            @fields { $($head)* }
            {
                $($done)*
                $(#[doc = $doc])*
                #[serde(default, deserialize_with = "crate::lenient::optional", skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            }
            $($rest)*
        }
    };
    (@fields { $(#[doc = $doc:literal])* $name:ident { $($required:tt)* } } { $($optional:tt)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            $($required)*
            $($optional)*
            /// Fields that this version does not know, kept as they came.
            #[serde(flatten)]
            pub extra: serde_json::Map<String, serde_json::Value>,
        }

        impl crate::lenient::Lenient for $name {}
    };
}

/// A setter of an optional field. Numbers are taken as they are, so that a literal needs no suffix.
macro_rules! setter {
    (@plain $(#[doc = $doc:literal])* $field:ident: $type:ty) => {
        $(#[doc = $doc])*
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = Some($field);
            self
        }
    };
    ($(#[doc = $doc:literal])* $field:ident: u32) => { crate::macros::setter! { @plain $(#[doc = $doc])* $field: u32 } };
    ($(#[doc = $doc:literal])* $field:ident: u64) => { crate::macros::setter! { @plain $(#[doc = $doc])* $field: u64 } };
    ($(#[doc = $doc:literal])* $field:ident: i64) => { crate::macros::setter! { @plain $(#[doc = $doc])* $field: i64 } };
    ($(#[doc = $doc:literal])* $field:ident: f64) => { crate::macros::setter! { @plain $(#[doc = $doc])* $field: f64 } };
    ($(#[doc = $doc:literal])* $field:ident: bool) => { crate::macros::setter! { @plain $(#[doc = $doc])* $field: bool } };
    ($(#[doc = $doc:literal])* metadata: Map<String, Value>) => {
        $(#[doc = $doc])*
        /// Adds one of them.
        pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
            self.metadata.get_or_insert_default().insert(key.into(), value.into());
            self
        }
    };
    ($(#[doc = $doc:literal])* $field:ident: Vec<$item:ty>) => {
        $(#[doc = $doc])*
        pub fn $field(mut self, $field: impl IntoIterator<Item = impl Into<$item>>) -> Self {
            self.$field = Some($field.into_iter().map(Into::into).collect());
            self
        }
    };
    ($(#[doc = $doc:literal])* $field:ident: $type:ty) => {
        $(#[doc = $doc])*
        pub fn $field(mut self, $field: impl Into<$type>) -> Self {
            self.$field = Some($field.into());
            self
        }
    };
}

/// A struct of a JSON request: ids of the path, required fields, then `;`, then optional ones. Only what is set is sent.
macro_rules! request {
    (
        $(#[doc = $doc:literal])*
        $name:ident $(( $id:ident ))? {
            $( $(#[doc = $rdoc:literal])* $(#[serde $rserde:tt])? $required:ident: $rtype:ty, )* ;
            $( $(#[doc = $fdoc:literal])* $(#[serde $fserde:tt])? $field:ident: $type:ident $(<$($arg:ident),+>)?, )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            $(
                /// Whose. Any characters; it is one segment of the path.
                #[serde(skip)]
                pub $id: String,
            )?
            $( $(#[doc = $rdoc])* $(#[serde $rserde])? pub $required: $rtype, )*
            $(
                $(#[doc = $fdoc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $(#[serde $fserde])?
                pub $field: Option<$type $(<$($arg),+>)?>,
            )*
            /// Further top-level keys, for parameters that this type does not name. Whether the gateway takes a key that
            /// it does not know is not documented.
            #[serde(flatten)]
            pub extra: serde_json::Map<String, serde_json::Value>,
        }

        impl $name {
            /// A request with what is required.
            #[allow(clippy::new_without_default, reason = "the same for requests that require something")]
            pub fn new($($id: impl Into<String>,)? $($required: impl Into<$rtype>),*) -> Self {
                Self {
                    $( $id: $id.into(), )?
                    $( $required: $required.into(), )*
                    $( $field: None, )*
                    extra: serde_json::Map::new(),
                }
            }

            $( crate::macros::setter! { $(#[doc = $fdoc])* $field: $type $(<$($arg),+>)? } )*

            /// Adds a top-level key that this type does not name.
            pub fn extra(mut self, key: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
                self.extra.insert(key.into(), value.into());
                self
            }

            /// The JSON body. A key of `extra` that has a field of its own would stand in it twice.
            fn json(&self) -> Result<crate::RequestBody, crate::InvalidRequest> {
                let named = [$( stringify!($required), )* $( stringify!($field), )*];
                crate::request_body::refuse_named(&self.extra, &named)?;
                crate::RequestBody::json(self)
            }
        }
    };
}

/// A struct of query parameters, all optional, with a setter for each and `pairs`.
macro_rules! query {
    (
        $(#[doc = $doc:literal])*
        $name:ident $(( $id:ident ))? { $( $(#[doc = $fdoc:literal])* $field:ident: $type:ident $(<$($arg:ident),+>)?, )* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
        #[serde(default)]
        #[non_exhaustive]
        pub struct $name {
            $(
                /// Whose. Any characters; it is one segment of the path.
                #[serde(skip)]
                pub $id: String,
            )?
            $( $(#[doc = $fdoc])* pub $field: Option<$type $(<$($arg),+>)?>, )*
        }

        impl $name {
            /// Without any parameter.
            #[allow(clippy::needless_update, reason = "only those with an id have another field")]
            pub fn new($($id: impl Into<String>)?) -> Self {
                Self { $( $id: $id.into(), )? ..Self::default() }
            }

            $( crate::macros::setter! { $(#[doc = $fdoc])* $field: $type $(<$($arg),+>)? } )*

            /// The parameters that are set.
            fn pairs(&self) -> crate::Query {
                crate::Query::new() $( .with_opt(stringify!($field), self.$field.as_ref()) )*
            }
        }
    };
}

/// [`Endpoint`](crate::Endpoint) for a type: reply, name, method, path, and the method of
/// [`ResponseBody`](crate::ResponseBody) that decodes. Fields in the path stand behind a `/`. What else most calls have is
/// added with a `+`:
///
/// | part | meaning |
/// |---|---|
/// | `json` | the body is the struct itself, from `request!` |
/// | `query` | the query are its fields, from `query!` |
/// | `inference` | running it twice costs twice and harms nothing |
///
/// `data or id`: an answer without an id, or without anything, is a success too, and gets the id from the field `id`.
///
/// Further methods of the trait may follow in braces.
macro_rules! endpoint {
    (
        $type:ty => $reply:ty, $name:literal, $method:ident $path:literal $(/ $segment:tt)*, $decode:ident
        $(or $id:ident)? $(+ $part:ident)* $({ $($methods:tt)* })?
    ) => {
        impl crate::Endpoint for $type {
            type Reply = $reply;

            fn name(&self) -> &'static str {
                $name
            }

            fn method(&self) -> crate::Method {
                crate::Method::$method
            }

            fn path(&self) -> crate::Path {
                crate::Path::from_static($path) $( .segment(crate::macros::endpoint!(@segment self $segment)) )*
            }

            fn decode(&self, body: crate::ResponseBody<'_>) -> Result<$reply, crate::ReplyError> {
                $( return body.data_or_id(&self.$id); )?
                #[allow(unreachable_code, reason = "for calls whose answer may lack the id")]
                body.$decode()
            }

            $( crate::macros::endpoint!(@part $part); )*
            $($($methods)*)?
        }
    };
    (@segment $this:ident $literal:literal) => { $literal };
    (@segment $this:ident $field:ident) => { &$this.$field };
    (@part json) => {
        fn body(&self) -> Result<Option<crate::RequestBody>, crate::InvalidRequest> {
            self.json().map(Some)
        }
    };
    (@part query) => {
        fn query(&self) -> crate::Query {
            self.pairs()
        }
    };
    (@part inference) => {
        fn replay_safety(&self) -> crate::ReplaySafety {
            crate::ReplaySafety::Inference
        }
    };
}

/// A call that needs nothing but an id: the struct with `new`, and its endpoint.
macro_rules! by_id {
    (
        $(#[doc = $doc:literal])*
        $name:ident($id:ident) => $reply:ty, $call:literal, $method:ident $path:literal $(/ $segment:tt)*, $decode:ident
        $(or $known:ident)? $({ $($methods:tt)* })?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            /// Whose. Any characters; it is one segment of the path.
            pub $id: String,
        }

        impl $name {
            /// By id.
            pub fn new($id: impl Into<String>) -> Self {
                Self { $id: $id.into() }
            }
        }

        crate::macros::endpoint! {
            $name => $reply, $call, $method $path $(/ $segment)*, $decode $(or $known)? $({ $($methods)* })?
        }
    };
}

/// The next page of a list is the same query with another cursor, in the field `cursor`.
macro_rules! paginated {
    ($name:ident => $item:ty) => {
        impl crate::Paginated for $name {
            type Item = $item;

            fn cursor(&self) -> Option<&str> {
                self.cursor.as_deref()
            }

            fn after(&self, cursor: &str) -> Self {
                Self { cursor: Some(cursor.to_owned()), ..self.clone() }
            }
        }
    };
}

pub(crate) use {by_id, endpoint, object, paginated, query, request, setter};
