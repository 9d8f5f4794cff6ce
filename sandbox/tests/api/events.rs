//! Tests that every event type of the catalogue can be caused by a call of the API.

use podtap_podio::{EventKind, EventType, RefType};
use podtap_sandbox::HookTypes;

use crate::support::{Receiver, RunningSandbox};
use podtap_testing::calls::{ORDERS, SPACE, everything};

#[tokio::test]
async fn every_event_type_really_fires_with_the_parameters_of_the_catalogue() {
    let sandbox = RunningSandbox::with(|config| config.hook_types = HookTypes::AsDocumented).await;
    let mut receiver = Receiver::start().await;
    let client = sandbox.user();
    for (ref_type, ref_id) in [(RefType::App, ORDERS), (RefType::Space, SPACE)] {
        for event in EventType::on(ref_type) {
            receiver.active_hook(&client, ref_type, ref_id, event).await;
        }
    }

    let mut missing: Vec<_> = EventType::ALL.to_vec();
    missing.retain(|event| *event != EventType::HookVerify);
    let call = async |method, path: &str, body: &_| sandbox.call(method, path, body).await;
    for (method, path, body) in everything(call).await {
        let (status, answer) = sandbox.call(method.clone(), &path, &body).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        let event = receiver.next().await.event;
        let EventKind::Known(kind) = event.kind else {
            panic!("{:?}", event.kind)
        };
        missing.retain(|event| *event != kind);
        for parameter in kind.spec().parameters {
            let given = event.param(parameter.name).is_some();
            assert!(given || parameter.optional, "{kind}: {}", parameter.name);
        }
    }
    assert_eq!(missing, []);
    assert!(receiver.nothing_more());
}
