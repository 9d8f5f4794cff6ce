//! A real pseudo-terminal with `podtap` in it: keys go in, the screen is read back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use podtap_bench::pty::{CommandBuilder, ExitStatus, Pty};

use super::{Stage, eventually};

/// A terminal of a certain size, and the process in it.
pub(crate) struct Terminal {
    pty: Pty,
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
        size: (u16, u16),
    ) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_podtap"));
        command.args(args);
        Self::run(stage, command, env, size)
    }

    /// Starts `podtap` as the job of a shell, whose script `$@` stands for it in.
    pub(crate) fn in_shell(stage: &Stage, script: &str, args: &[&str]) -> Self {
        let mut command = CommandBuilder::new("sh");
        command.args(["-m", "-c", script, "sh", env!("CARGO_BIN_EXE_podtap")]);
        command.args(args);
        Self::run(stage, command, &[], (120, 40))
    }

    /// Starts a script that begins `podtap` as `$@`, without jobs, with these variables.
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

    fn run(
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

    /// What the screen shows.
    pub(crate) fn text(&self) -> String {
        self.pty.text()
    }

    /// Waits until the terminal's clipboard holds this text.
    pub(crate) async fn clipboard_holds(&self, text: &str) {
        let copied = || {
            let copied = STANDARD.decode(self.pty.clipboard()).unwrap_or_default();
            String::from_utf8_lossy(&copied).into_owned()
        };
        let holds = || copied().contains(text).then_some(());
        eventually(&format!("{text:?} in the clipboard"), holds, copied).await;
    }

    /// How often the bell was rung.
    pub(crate) fn bells(&self) -> usize {
        self.pty.bells()
    }

    /// The notices that were to be shown.
    pub(crate) fn notices(&self) -> Vec<String> {
        self.pty.notices()
    }

    /// Whether the screen is the one a full-screen program draws on.
    pub(crate) fn is_alternate(&self) -> bool {
        self.pty.is_alternate()
    }

    /// What a program has left of itself in the terminal: modes of the screen, of the keyboard and
    /// of the line discipline that are not what they were.
    pub(crate) fn traces(&self) -> Vec<String> {
        self.pty.traces()
    }

    /// Waits until nothing is left of the program in the terminal.
    pub(crate) async fn is_as_before(&self) {
        let restored = || self.traces().is_empty().then_some(());
        let state = || format!("{:?}\n{}", self.traces(), self.text());
        eventually("the terminal as it was", restored, state).await;
    }

    /// Waits until all that a full-screen program sets in a terminal is set.
    pub(crate) async fn is_taken(&self) {
        let taken = || (self.traces().len() == 5).then_some(());
        let state = || format!("{:?}\n{}", self.traces(), self.text());
        eventually("a terminal that is taken", taken, state).await;
    }

    /// Makes the terminal larger or smaller.
    pub(crate) fn resize(&mut self, cols: u16, rows: u16) {
        self.pty.resize(cols, rows).unwrap();
    }

    /// Takes the terminal away.
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

    /// The process's number.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.pty.pid().unwrap()).unwrap()
    }

    /// Its end, awaited.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let limit = super::DEADLINE;
        let start = tokio::time::Instant::now();
        loop {
            if let Some(status) = self.pty.ended().unwrap() {
                return status;
            }
            assert!(start.elapsed() < limit, "it never ended: {}", self.text());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}
