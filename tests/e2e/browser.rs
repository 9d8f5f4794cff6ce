//! What Podio knows about an event, in the detail view
//! and in the person's browser, with the demo's sandbox.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Stage, Terminal, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_explained_and_opened_in_the_browser_or_copied_over_ssh() {
    for (variables, opens) in [(vec![], true), (vec![("SSH_TTY", "/dev/pts/9")], false)] {
        let stage = Stage::new();
        let bin = stage.home().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let browser = bin.join("xdg-open");
        let script =
            "#!/bin/sh\nenv > \"$HOME/environment\"\nprintf '%s' \"$1\" > \"$HOME/opened\"\n";
        std::fs::write(&browser, script).unwrap();
        std::fs::set_permissions(&browser, PermissionsExt::from_mode(0o755)).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = format!("{}:{}", bin.display(), path.display());
        let own = [
            ("PATH", path.as_str()),
            ("PODTAP_TOKEN", "pt_for-the-relay-alone"),
            ("PODTAP_PODIO_CLIENT_SECRET", "for-podio-alone"),
            ("BROWSER_HINT", "kept"),
        ];
        let variables = [variables, own.to_vec()].concat();
        let args = ["demo", "--rate", "8"];
        let mut terminal = Terminal::start_with(&stage, &args, &variables, (160, 40));

        terminal.shows("item.update").await;
        terminal.keys("/type:item.update\r");
        // Until the filtered rows appear, keys refer to an earlier row.
        let filtered = || {
            let text = terminal.text();
            let mut rows = text
                .lines()
                .filter(|line| line.contains("✓ 200"))
                .peekable();
            let any = rows.peek().is_some() && text.contains("Events · type:item.update");
            (any && rows.all(|row| row.contains("item.update"))).then_some(())
        };
        eventually("the rows of the filter", filtered, || terminal.text()).await;
        terminal.keys("jw");
        terminal.shows("title  ").await;
        terminal.keys("o");
        let link = "https://podio.com/sandbox/items/";
        if opens {
            let file = stage.home().join("opened");
            let opened = || std::fs::read_to_string(&file).ok();
            let opened = || opened().filter(|page| page.starts_with(link));
            eventually("the page in the browser", opened, || terminal.text()).await;
            let environment = std::fs::read_to_string(stage.home().join("environment")).unwrap();
            assert!(environment.contains("BROWSER_HINT=kept"), "{environment}");
            assert!(!environment.contains("alone"), "{environment}");
        } else {
            terminal.shows("Copied https://podio.com").await;
            terminal.clipboard_holds(link).await;
        }
        terminal.keys("q");
        terminal.wait_for_end().await;
    }
}
