//! Who the caller is: `GET /v1/me`.
//!
//! Source: docs `reference/users-and-access`. `GET /v1/auth/me` answers the same.

use crate::macros::{endpoint, object};
use serde_json::Value;

/// Asks who the caller is: `GET /v1/me`. The call is documented, the fields of the answer are assumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetMe;

endpoint!(GetMe => Profile, "me", Get "/v1/me", data);

object! {
    /// The caller's profile. That roles and permissions are there is documented; all names are assumed.
    Profile {
        ;
        /// Names the user.
        id: String,
        /// The e-mail address.
        email: String,
        /// A name for people.
        display_name: String,
        /// The user's tenant.
        tenant_id: String,
        /// The tenant's partner.
        partner_id: String,
        /// Roles, such as `tenant_user`. Strings usually; elements of another form are kept as they came.
        roles: Vec<Value>,
        /// Permissions, such as `models:use`. Strings usually; elements of another form are kept as they came.
        permissions: Vec<Value>,
    }
}

impl Profile {
    /// Whether the caller has a permission, such as `models:use`, as far as the gateway tells.
    pub fn has_permission(&self, permission: &str) -> bool {
        self.permissions.iter().flatten().any(|known| known.as_str() == Some(permission))
    }
}
