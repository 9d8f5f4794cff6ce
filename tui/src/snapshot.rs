//! Compares what the UI draws with snapshots.

/// Compares the frame of an app with the snapshot of this name and screen size. A macro, because
/// insta names the file after the module of the caller.
macro_rules! snapshot {
    ($name:expr, $app:expr) => {{
        let app: &$crate::app::App = $app;
        let size = app.panes.screen();
        let name = format!("{}_{}x{}", $name, size.width, size.height);
        let frame = $crate::testing::text(&$crate::testing::frame(app));
        insta::assert_snapshot!(name, frame);
    }};
}

pub(crate) use snapshot;
