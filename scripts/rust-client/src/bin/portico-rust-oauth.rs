//! Logs in with OAuth 2.0 as a phone does: says where a browser has to go, is told where it was led to, and goes on from there.
//! It does not log out: matrix-sdk does that by HTTPS alone.
use std::{env, io::stdin};

use anyhow::{Context, Result, bail, ensure};
use matrix_sdk::{
    Client,
    authentication::oauth::registration::{ApplicationType, ClientMetadata, Localized, OAuthGrantType},
    config::SyncSettings,
    ruma::serde::Raw,
};
use url::Url;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, client_uri, redirect_uri] = arguments.as_slice() else {
        bail!("usage: portico-rust-oauth URL CLIENT_URI REDIRECT_URI");
    };
    let client = Client::builder().homeserver_url(url).handle_refresh_tokens().build().await?;
    let oauth = client.oauth();
    let asked = oauth.login(Url::parse(redirect_uri)?, None, Some(describe(client_uri, redirect_uri)?.into()), None);
    println!("{}", asked.build().await?.url);

    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    oauth.finish_login(Url::parse(answer.trim())?.into()).await?;
    let before = client.session_tokens().context("there are no tokens after the login")?;
    oauth.refresh_access_token().await?;
    let after = client.session_tokens().context("there are no tokens after they were refreshed")?;
    ensure!(before.access_token != after.access_token, "the token is the same after it was refreshed");
    client.sync_once(SyncSettings::default()).await?;
    println!("{}", client.user_id().context("nobody is logged in")?);

    let pages = oauth.server_metadata().await?.account_management_uri.context("there is no account page")?;
    println!("{pages}");
    Ok(())
}

fn describe(client_uri: &str, redirect_uri: &str) -> Result<Raw<ClientMetadata>> {
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
