//! A phone that lets two more devices in by QR codes: it shows the first code, and reads the second one. Says where a browser has
//! to go for each of the three.
use std::env;

use anyhow::{Context, Result, anyhow, bail, ensure};
use futures_util::StreamExt;
use matrix_sdk::{
    Client,
    authentication::oauth::{
        ClientRegistrationData,
        qrcode::{GeneratedQrProgress, GrantLoginProgress, LoginProgress, QrCodeData, QrProgress},
    },
    config::SyncSettings,
};
use portico_rust_client::{describe, log_in};
use tokio::{sync::oneshot, try_join};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, client_uri, redirect_uri] = arguments.as_slice() else {
        bail!("usage: portico-rust-qr URL CLIENT_URI REDIRECT_URI");
    };
    let phone = new_client(url).await?;
    log_in(&phone, redirect_uri, describe(client_uri, redirect_uri)?).await?;
    phone.encryption().bootstrap_cross_signing_if_needed(None).await?;
    phone.sync_once(SyncSettings::default()).await?;

    let app = describe(client_uri, redirect_uri)?.into();
    let laptop = new_client(url).await?;
    phone_shows(&phone, &laptop, &app).await?;
    check(&laptop, &phone).await?;
    let tablet = new_client(url).await?;
    phone_reads(&phone, &tablet, &app).await?;
    check(&tablet, &phone).await?;
    println!("three devices");
    Ok(())
}

async fn new_client(url: &str) -> Result<Client> {
    Ok(Client::builder().homeserver_url(url).handle_refresh_tokens().build().await?)
}

async fn phone_shows(phone: &Client, laptop: &Client, app: &ClientRegistrationData) -> Result<()> {
    let (show, seen) = oneshot::channel::<QrCodeData>();
    let (say, heard) = oneshot::channel::<u8>();
    let (phone, laptop) = (phone.oauth(), laptop.oauth());
    let grant = phone.grant_login_with_qr_code().generate();
    let mut granting = grant.subscribe_to_progress();
    let phone_side = async {
        let (mut show, mut heard) = (Some(show), Some(heard));
        while let Some(step) = granting.next().await {
            match step {
                GrantLoginProgress::EstablishingSecureChannel(GeneratedQrProgress::QrReady(code)) => {
                    show.take().and_then(|show| show.send(code).ok()).context("nobody looks at the code")?;
                }
                GrantLoginProgress::EstablishingSecureChannel(GeneratedQrProgress::QrScanned(answer)) => {
                    answer.send(heard.take().context("the code was read twice")?.await?).await?;
                }
                GrantLoginProgress::WaitingForAuth { verification_uri } => println!("{verification_uri}"),
                GrantLoginProgress::Done => break,
                _ => {}
            }
        }
        Ok::<(), anyhow::Error>(())
    };
    let laptop_side = async {
        let code = seen.await?;
        let login = laptop.login_with_qr_code(Some(app)).scan(&code);
        let mut logging_in = login.subscribe_to_progress();
        let tell = async {
            let mut say = Some(say);
            while let Some(step) = logging_in.next().await {
                match step {
                    LoginProgress::EstablishingSecureChannel(QrProgress { check_code }) => {
                        say.take().and_then(|say| say.send(check_code.to_digit()).ok()).context("nobody hears it")?;
                    }
                    LoginProgress::Done => break,
                    _ => {}
                }
            }
            Ok::<(), anyhow::Error>(())
        };
        try_join!(async { login.await.map_err(|error| anyhow!("login: {error:?}")) }, tell)?;
        Ok(())
    };
    try_join!(async { grant.await.map_err(|error| anyhow!("grant: {error:?}")) }, phone_side, laptop_side)?;
    Ok(())
}

async fn phone_reads(phone: &Client, tablet: &Client, app: &ClientRegistrationData) -> Result<()> {
    let (show, seen) = oneshot::channel::<QrCodeData>();
    let (say, heard) = oneshot::channel::<u8>();
    let (phone, tablet) = (phone.oauth(), tablet.oauth());
    let login = tablet.login_with_qr_code(Some(app)).generate();
    let mut logging_in = login.subscribe_to_progress();
    let tablet_side = async {
        let (mut show, mut heard) = (Some(show), Some(heard));
        while let Some(step) = logging_in.next().await {
            match step {
                LoginProgress::EstablishingSecureChannel(GeneratedQrProgress::QrReady(code)) => {
                    show.take().and_then(|show| show.send(code).ok()).context("nobody looks at the code")?;
                }
                LoginProgress::EstablishingSecureChannel(GeneratedQrProgress::QrScanned(answer)) => {
                    answer.send(heard.take().context("the code was read twice")?.await?).await?;
                }
                LoginProgress::Done => break,
                _ => {}
            }
        }
        Ok::<(), anyhow::Error>(())
    };
    let phone_side = async {
        let code = seen.await?;
        let grant = phone.grant_login_with_qr_code().scan(&code);
        let mut granting = grant.subscribe_to_progress();
        let tell = async {
            let mut say = Some(say);
            while let Some(step) = granting.next().await {
                match step {
                    GrantLoginProgress::EstablishingSecureChannel(QrProgress { check_code }) => {
                        say.take().and_then(|say| say.send(check_code.to_digit()).ok()).context("nobody hears it")?;
                    }
                    GrantLoginProgress::WaitingForAuth { verification_uri } => println!("{verification_uri}"),
                    GrantLoginProgress::Done => break,
                    _ => {}
                }
            }
            Ok::<(), anyhow::Error>(())
        };
        try_join!(async { grant.await.map_err(|error| anyhow!("grant: {error:?}")) }, tell)?;
        Ok(())
    };
    try_join!(async { login.await.map_err(|error| anyhow!("login: {error:?}")) }, tablet_side, phone_side)?;
    Ok(())
}

/// The new device has the keys of the person, and the other one trusts it.
async fn check(device: &Client, phone: &Client) -> Result<()> {
    let keys = device.encryption().cross_signing_status().await.context("there are no keys for signing")?;
    ensure!(keys.is_complete(), "keys for signing are missing: {keys:?}");
    phone.sync_once(SyncSettings::default()).await?;
    let user = phone.user_id().context("nobody is logged in")?;
    let id = device.device_id().context("there is no device")?;
    let seen = phone.encryption().get_device(user, id).await?.context("the phone does not see the device")?;
    ensure!(seen.is_verified_with_cross_signing(), "the phone does not trust the device");
    Ok(())
}
