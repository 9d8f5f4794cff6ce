//! A transport to a client that reports the end of the stream.

use rmcp::RoleServer;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio_util::sync::CancellationToken;

/// Maximum size of a message from a client: far more than any tool needs. A longer one is dropped.
pub(crate) const MAX_MESSAGE: usize = 1024 * 1024;

/// A transport that cancels a token when the inner transport ends.
#[derive(Debug)]
pub(crate) struct WithEnd<T> {
    pub(crate) inner: T,
    pub(crate) ended: CancellationToken,
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for WithEnd<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.inner.send(message)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let message = self.inner.receive().await;
        if message.is_none() {
            self.ended.cancel();
        }
        message
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}
