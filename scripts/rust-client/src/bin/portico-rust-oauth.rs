//! Logs in with OAuth 2.0 as a phone does. It does not log out: matrix-sdk does that by HTTPS alone.
use std::env;

use anyhow::{Context, Result, bail, ensure};
use matrix_sdk::{Client, config::SyncSettings};
use portico_rust_client::{describe, log_in};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, client_uri, redirect_uri] = arguments.as_slice() else {
        bail!("usage: portico-rust-oauth URL CLIENT_URI REDIRECT_URI");
    };
    let client = Client::builder().homeserver_url(url).handle_refresh_tokens().build().await?;
    log_in(&client, redirect_uri, describe(client_uri, redirect_uri)?).await?;
    let oauth = client.oauth();
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
