//! A real pseudo-terminal with `podtap` in it: keys go in, the screen is read back.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::{Stage, eventually};

/// A terminal of a certain size, and the process in it.
pub(crate) struct Terminal {
    screen: Arc<Mutex<vt100::Parser>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts `podtap` with these arguments in a terminal of `cols` × `rows`.
    pub(crate) fn start(stage: &Stage, args: &[&str], cols: u16, rows: u16) -> Self {
        Self::start_with(stage, args, &[], (cols, rows))
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_with(
        stage: &Stage,
        args: &[&str],
        env: &[(&str, &str)],
        (cols, rows): (u16, u16),
    ) -> Self {
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_podtap"));
        command.args(args);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("PODTAP_PODIO_URL", "http://127.0.0.1:9");
        command.env("HOME", stage.home());
        command.env("XDG_DATA_HOME", stage.home().join("data"));
        command.env("XDG_CONFIG_HOME", stage.home().join("config"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for (name, value) in env {
            command.env(name, value);
        }
        command.cwd(stage.home());
        let child = pair.slave.spawn_command(command).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(
            nonzero(rows),
            nonzero(cols),
            0,
        )));
        let mut output = pair.master.try_clone_reader().unwrap();
        let reader = {
            let screen = Arc::clone(&screen);
            move || {
                let mut bytes = [0; 8192];
                while let Ok(read @ 1..) = output.read(&mut bytes) {
                    screen.lock().unwrap().process(&bytes[..read]);
                }
            }
        };
        std::thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(reader)
            .unwrap();
        let keys = pair.master.take_writer().unwrap();
        Self {
            screen,
            keys,
            child,
            _master: pair.master,
        }
    }

    /// What the screen shows.
    pub(crate) fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Whether the screen is the one a full-screen program draws on.
    pub(crate) fn is_alternate(&self) -> bool {
        self.screen.lock().unwrap().screen().alternate_screen()
    }

    /// Whether the cursor is hidden.
    pub(crate) fn hides_cursor(&self) -> bool {
        self.screen.lock().unwrap().screen().hide_cursor()
    }

    /// Whether the mouse is reported to the program.
    pub(crate) fn reports_mouse(&self) -> bool {
        let mode = self.screen.lock().unwrap().screen().mouse_protocol_mode();
        mode != vt100::MouseProtocolMode::None
    }

    /// Waits until the screen shows this text.
    pub(crate) async fn shows(&self, text: &str) {
        let shown = || self.text().contains(text).then_some(());
        eventually(&format!("{text:?} on the screen"), shown, || self.text()).await;
    }

    /// Waits until the screen does not show this text.
    pub(crate) async fn no_longer_shows(&self, text: &str) {
        let gone = || (!self.text().contains(text)).then_some(());
        eventually(&format!("no {text:?} on the screen"), gone, || self.text()).await;
    }

    /// Types these keys.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The process's number.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().unwrap()).unwrap()
    }

    /// Its end, awaited.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let screen = Arc::clone(&self.screen);
        let state = || screen.lock().unwrap().screen().contents();
        eventually(
            "the end of the process",
            || self.child.try_wait().unwrap(),
            state,
        )
        .await
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Already gone is fine.
        self.child.kill().ok();
    }
}

fn nonzero(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).unwrap()
}
