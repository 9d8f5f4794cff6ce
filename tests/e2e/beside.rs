//! `podtap ui` while an agent runs in another process: it shows the agent's state as it changes.

use crate::support::{Service, Stage, Terminal, form_post};

#[tokio::test(flavor = "multi_thread")]
async fn the_ui_follows_the_agent_that_begins_loses_its_service_and_ends() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let address = service.address();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (mut agent, url) = stage.agent(&relay.url(), &token, address, &[]).await;
    form_post(&url, b"type=item.create&item_id=1").await;
    service.wait_for(1).await;
    agent.terminate();
    agent.wait_for_end().await;

    let terminal = Terminal::start(&stage, &["ui", "--name", "crm"], 120, 40);
    terminal.shows("○ crm").await;
    terminal.shows("no local service").await;

    let (mut agent, _) = stage.agent(&relay.url(), &token, address, &[]).await;
    terminal.shows("● crm").await;
    terminal.shows(&format!("{address} ○")).await;
    form_post(&url, b"type=item.create&item_id=2").await;
    terminal.shows(&format!("{address} ● up")).await;

    drop(service);
    form_post(&url, b"type=item.create&item_id=3").await;
    terminal.shows(&format!("{address} ✗")).await;

    agent.kill();
    terminal.shows("the agent has ended").await;
    terminal.shows("no local service").await;

    let (_agent, _) = stage.agent(&relay.url(), &token, address, &[]).await;
    terminal.no_longer_shows("the agent has ended").await;
    terminal.shows("● crm").await;
}
