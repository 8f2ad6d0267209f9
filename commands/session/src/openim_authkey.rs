//! `openim.authkey`: what older clients ask before they read files.

use command::{Call, Callers, Command, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Gets the key that files of the service have to be asked for with. Files here need none, so there is none.
///
/// `tim-js-sdk` (seen with 2.27.6) asks for it after each login and leaves a refusal unhandled.
#[derive(Deserialize, JsonSchema)]
pub struct GetFileKey {}

/// No key.
#[derive(Serialize, JsonSchema)]
pub struct FileKey {}

impl Command for GetFileKey {
    const SPEC: Spec = Spec::new("openim/authkey", Family::MESSAGE).callers(Callers::ACCOUNT).fails_with(&[]);

    type Reply = FileKey;

    async fn run(self, _: &Call) -> Result<FileKey> {
        Ok(FileKey {})
    }
}
