//! Runs a person's editor on a temporary file.

use crate::error_text::error_text;

/// Opens a text in a person's editor and returns the edited text. `editor` is a shell command, to
/// which the path is added, and which does not get the variables in `secrets`.
pub(crate) async fn run_editor(
    editor: &str,
    secrets: &[String],
    file: &str,
) -> Result<String, String> {
    let made = tempfile::Builder::new()
        .prefix("podtap-")
        .suffix(".http")
        .tempfile();
    let path = made.map_err(error_text)?.into_temp_path();
    tokio::fs::write(&path, file).await.map_err(error_text)?;
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(&path)
        .kill_on_drop(true);
    for variable in secrets {
        command.env_remove(variable);
    }
    let status = command.status().await.map_err(error_text)?;
    if !status.success() {
        return Err(format!("nothing was sent: `{editor}` ended with {status}"));
    }
    tokio::fs::read_to_string(&path).await.map_err(error_text)
}
