//! REST: `POST /v4/<service>/<command>?sdkappid&identifier&usersig&random&contenttype=json`.

use std::net::IpAddr;
use std::sync::Arc;

use command::{Call, Caller, Credentials};
use model::settings::App;
use model::{Error, ErrorCode, Result, SdkAppId, UserId};

use crate::Gateway;
use crate::query::value;

impl Gateway {
    /// Answers a REST call.
    pub(crate) async fn rest(
        &self,
        path: &str,
        query: &str,
        body: &[u8],
        address: IpAddr,
        host: Option<&str>,
    ) -> (Vec<u8>, bool) {
        let outcome = self.enter(query).await;
        match outcome {
            Ok((app, user)) => {
                let caller = Caller::Administrator(user);
                let engine = Arc::clone(self.engine());
                let call =
                    Call::new(engine, app, caller, None, address, Credentials::default()).at_host(host);
                (self.pipeline.run(path, call, body).await.body, true)
            }
            Err(error) => {
                if let Some(app) = value(query, "sdkappid").and_then(|app| app.parse().ok()) {
                    self.note_refusal(SdkAppId(app), address, path, &error);
                }
                (command::envelope::failure(&error, false), false)
            }
        }
    }

    /// Finds out who calls, and whether it is an administrator of the app.
    async fn enter(&self, query: &str) -> Result<(Arc<App>, UserId)> {
        let Some(app) = value(query, "sdkappid").filter(|text| !text.is_empty()) else {
            return Err(ErrorCode::AppMissing.into());
        };
        let unknown = || Error::from(ErrorCode::AppUnknown);
        let app = app.parse().map(SdkAppId).map_err(|_| unknown())?;
        if value(query, "contenttype").is_some_and(|kind| kind != "json") {
            return Err(ErrorCode::BadQuery.because("contenttype: json"));
        }
        let identifier = value(query, "identifier").unwrap_or_default();
        let user = UserId::new(&identifier)
            .map_err(|error| ErrorCode::BadIdentifier.in_field("identifier", error))?;
        let Some(signature) = value(query, "usersig") else {
            return Err(ErrorCode::BadSignatureParameter.because("usersig: is missing"));
        };
        let engine = self.engine();
        let app = engine.apps.find(app).await?.ok_or_else(unknown)?;
        engine.verify_signature(&app, &user, &signature).await?;
        if app.status() != model::settings::Status::Active {
            return Err(ErrorCode::AppDisabled.into());
        }
        if !app.is_administrator(&user) {
            return Err(ErrorCode::NotAdministrator.into());
        }
        Ok((app, user))
    }
}
