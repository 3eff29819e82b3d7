//! What programs that log in with OAuth 2.0 have in common.
use std::io::stdin;

use anyhow::Result;
use matrix_sdk::{
    Client,
    authentication::oauth::registration::{ApplicationType, ClientMetadata, Localized, OAuthGrantType},
    ruma::serde::Raw,
};
use url::Url;

/// Says where a browser has to go, is told where it was led to, and goes on from there.
pub async fn log_in(client: &Client, redirect_uri: &str, app: Raw<ClientMetadata>) -> Result<()> {
    let oauth = client.oauth();
    let asked = oauth.login(Url::parse(redirect_uri)?, None, Some(app.into()), None);
    println!("{}", asked.build().await?.url);

    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    oauth.finish_login(Url::parse(answer.trim())?.into()).await?;
    Ok(())
}

pub fn describe(client_uri: &str, redirect_uri: &str) -> Result<Raw<ClientMetadata>> {
    let grants = vec![
        OAuthGrantType::AuthorizationCode { redirect_uris: vec![Url::parse(redirect_uri)?] },
        OAuthGrantType::DeviceCode,
    ];
    let uri = Localized::new(Url::parse(client_uri)?, []);
    let metadata = ClientMetadata {
        client_name: Some(Localized::new("Rust".to_owned(), [])),
        ..ClientMetadata::new(ApplicationType::Native, grants, uri)
    };
    Ok(Raw::new(&metadata)?)
}
