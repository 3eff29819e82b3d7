//! Does what a phone does: logs in, shows the list of rooms and a timeline, and goes on after an end of the server and of
//! itself. Says `ready` once it shows what it was told to expect first, and `done` when it shows the rest.
#![recursion_limit = "256"]

use std::{env, fs, path::Path, sync::Arc};

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, pin_mut};
use matrix_sdk::{Client, Room, authentication::matrix::MatrixSession, ruma::OwnedRoomId};
use matrix_sdk_ui::{
    room_list_service::filters::new_filter_non_left,
    sync_service::SyncService,
    timeline::{RoomExt, TimelineItem},
};
use tokio::time::{Duration, timeout};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, user, password, folder, room_id, rooms, texts @ ..] = arguments.as_slice() else {
        bail!("usage: portico-rust-client URL USER PASSWORD FOLDER ROOM_ID NUMBER_OF_ROOMS TEXT…");
    };
    let client = Client::builder().homeserver_url(url).sqlite_store(folder, None).build().await?;
    enter(&client, user, password, &Path::new(folder).join("session.json")).await?;

    let service = SyncService::builder(client.clone()).with_offline_mode().with_share_pos(true).build().await?;
    service.start().await;
    let shown = timeout(PATIENCE, show_rooms(&service, rooms.parse()?)).await.context("the list of rooms")??;
    println!("rooms {shown}");

    let room_id: OwnedRoomId = room_id.as_str().try_into()?;
    service.room_list_service().subscribe_to_rooms(&[&room_id]).await;
    let room = client.get_room(&room_id).context("there is no such room")?;
    for (index, text) in texts.iter().enumerate() {
        timeout(PATIENCE, show_text(&room, text)).await.with_context(|| format!("\"{text}\" in the timeline"))??;
        println!("{}", if index + 1 == texts.len() { "done" } else { "ready" });
    }
    service.stop().await;
    Ok(())
}

/// Logs in, or goes on as the device of the last time.
async fn enter(client: &Client, user: &str, password: &str, file: &Path) -> Result<()> {
    if file.exists() {
        let session: MatrixSession = serde_json::from_str(&fs::read_to_string(file)?)?;
        client.restore_session(session).await?;
        return Ok(());
    }
    client.matrix_auth().login_username(user, password).initial_device_display_name("Rust").send().await?;
    let session = client.matrix_auth().session().context("there is no session after the login")?;
    fs::write(file, serde_json::to_string(&session)?)?;
    Ok(())
}

/// Waits until so many rooms are in the list, each with a name.
async fn show_rooms(service: &SyncService, wanted: usize) -> Result<usize> {
    let list = service.room_list_service().all_rooms().await?;
    let (entries, controller) = list.entries_with_dynamic_adapters(wanted.max(1));
    pin_mut!(entries);
    controller.set_filter(Box::new(new_filter_non_left()));
    let mut rooms = Default::default();
    while let Some(changes) = entries.next().await {
        for change in changes {
            change.apply(&mut rooms);
        }
        if rooms.len() >= wanted && rooms.iter().all(|room| room.cached_display_name().is_some()) {
            return Ok(rooms.len());
        }
    }
    bail!("the list of rooms has ended")
}

/// Waits until a message is in the timeline of a room.
async fn show_text(room: &Room, text: &str) -> Result<()> {
    let timeline = room.timeline().await?;
    let (mut items, changes) = timeline.subscribe().await;
    pin_mut!(changes);
    while !items.iter().any(|item| says(item, text)) {
        let Some(next) = changes.next().await else { bail!("the timeline has ended") };
        for change in next {
            change.apply(&mut items);
        }
    }
    Ok(())
}

fn says(item: &Arc<TimelineItem>, text: &str) -> bool {
    let message = item.as_event().and_then(|event| event.content().as_message());
    message.is_some_and(|message| message.body() == text)
}
