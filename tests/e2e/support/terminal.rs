//! Runs `podtap` in a real pseudo-terminal: types keys and reads the screen.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use podtap_bench::pty::{CommandBuilder, ExitStatus, Pty};

use super::{Stage, eventually};

/// A terminal of a certain size, and its process.
pub(crate) struct Terminal {
    pty: Pty,
}

impl Terminal {
    /// Starts `podtap` with these arguments in a terminal of `cols` × `rows`.
    pub(crate) fn start(stage: &Stage, args: &[&str], cols: u16, rows: u16) -> Self {
        Self::start_with(stage, args, &[], (cols, rows))
    }

    /// Starts `podtap` with these environment variables in a terminal of this size.
    pub(crate) fn start_with(
        stage: &Stage,
        args: &[&str],
        env: &[(&str, &str)],
        size: (u16, u16),
    ) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_podtap"));
        command.args(args);
        Self::run(stage, command, env, size)
    }

    /// Starts `podtap` as a job of a shell; in the script, `$@` is the command.
    pub(crate) fn in_shell(stage: &Stage, script: &str, args: &[&str]) -> Self {
        let mut command = CommandBuilder::new("sh");
        command.args(["-m", "-c", script, "sh", env!("CARGO_BIN_EXE_podtap")]);
        command.args(args);
        Self::run(stage, command, &[], (120, 40))
    }

    /// Starts a script that runs `podtap` as `$@`, without jobs, with these environment variables.
    pub(crate) fn in_script(
        stage: &Stage,
        script: &str,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_podtap")]);
        command.args(args);
        Self::run(stage, command, env, (120, 40))
    }

    /// Starts another program.
    pub(crate) fn run(
        stage: &Stage,
        mut command: CommandBuilder,
        env: &[(&str, &str)],
        (cols, rows): (u16, u16),
    ) -> Self {
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
        let pty = Pty::start(command, cols, rows).unwrap();
        Self { pty }
    }

    /// Returns the text on the screen.
    pub(crate) fn text(&self) -> String {
        self.pty.text()
    }

    /// Waits until the terminal's clipboard contains this text.
    pub(crate) async fn clipboard_holds(&self, text: &str) {
        let copied = || {
            let copied = STANDARD.decode(self.pty.clipboard()).unwrap_or_default();
            String::from_utf8_lossy(&copied).into_owned()
        };
        let holds = || copied().contains(text).then_some(());
        eventually(&format!("{text:?} in the clipboard"), holds, copied).await;
    }

    /// Returns how often the bell was rung.
    pub(crate) fn bells(&self) -> usize {
        self.pty.bells()
    }

    /// Returns the desktop notices.
    pub(crate) fn notices(&self) -> Vec<String> {
        self.pty.notices()
    }

    /// Returns whether the alternate screen is active, which full-screen programs use.
    pub(crate) fn is_alternate(&self) -> bool {
        self.pty.is_alternate()
    }

    /// Returns the changes that a program has left in the terminal: modes of the
    /// screen, of the keyboard and of the line discipline that are not as before.
    pub(crate) fn traces(&self) -> Vec<String> {
        self.pty.traces()
    }

    /// Waits until the terminal is in its original state.
    pub(crate) async fn is_as_before(&self) {
        let restored = || self.traces().is_empty().then_some(());
        let state = || format!("{:?}\n{}", self.traces(), self.text());
        eventually("the terminal as it was", restored, state).await;
    }

    /// Waits until all modes of a full-screen program are set.
    pub(crate) async fn is_taken(&self) {
        let taken = || (self.traces().len() == 5).then_some(());
        let state = || format!("{:?}\n{}", self.traces(), self.text());
        eventually("a terminal that is taken", taken, state).await;
    }

    /// Changes the size of the terminal.
    pub(crate) fn resize(&mut self, cols: u16, rows: u16) {
        self.pty.resize(cols, rows).unwrap();
    }

    /// Closes the terminal.
    pub(crate) fn hang_up(&mut self) {
        self.pty.hang_up().unwrap();
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
        self.pty.keys(keys).unwrap();
    }

    /// Returns the process id.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.pty.pid().unwrap()).unwrap()
    }

    /// Waits until the process has ended.
    pub(crate) async fn wait_for_end(&mut self) -> ExitStatus {
        let limit = super::DEADLINE;
        let start = tokio::time::Instant::now();
        loop {
            if let Some(status) = self.pty.exit_status().unwrap() {
                return status;
            }
            assert!(start.elapsed() < limit, "it never ended: {}", self.text());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}
