//! The control socket: a Unix socket in the data folder that only its owner may use. One request a connection, one
//! line of JSON each way.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::admin::Request;
use crate::cli::Outcome;
use crate::stores::Opened;

/// The longest request line.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// How long a request may take: a backup of much data takes its time.
const TIME_MAX: Duration = Duration::from_secs(3600);

fn path(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Listens in a data folder until the task is dropped.
pub(crate) fn listen(data: &Path) -> Outcome<UnixListener> {
    let path = path(data);
    // The store is locked by this process: a socket that is here belongs to one that was killed.
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(format!("cannot remove {}: {error}", path.display()));
    }
    let listener =
        UnixListener::bind(&path).map_err(|error| format!("cannot listen on {}: {error}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| format!("cannot protect {}: {error}", path.display()))?;
    Ok(listener)
}

/// Serves requests.
pub(crate) async fn serve(listener: UnixListener, opened: Opened) {
    while let Ok((stream, _)) = listener.accept().await {
        let opened = opened.clone();
        tokio::spawn(async move {
            let served = tokio::time::timeout(TIME_MAX, serve_one(stream, &opened)).await;
            if !matches!(served, Ok(Ok(()))) {
                tracing::warn!("a request on the control socket was not answered");
            }
        });
    }
}

async fn serve_one(stream: UnixStream, opened: &Opened) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    let answer = match serde_json::from_str::<Request>(&line) {
        Ok(request) => crate::admin::answer(opened, &request).await,
        Err(error) => Err(format!("not a request: {error}")),
    };
    let answer = serde_json::to_vec(&answer)?;
    write.write_all(&answer).await?;
    write.shutdown().await
}

/// Asks the server that has a folder open; `None` if there is none.
pub(crate) async fn ask(data: &Path, request: &Request) -> Outcome<Option<Outcome<String>>> {
    let Ok(mut stream) = UnixStream::connect(path(data)).await else {
        return Ok(None);
    };
    let broken = |error: &dyn std::fmt::Display| format!("the running server does not answer: {error}");
    let mut line = serde_json::to_vec(request).map_err(|error| broken(&error))?;
    line.push(b'\n');
    let exchange = async {
        stream.write_all(&line).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(TIME_MAX, exchange).await.map_err(|_| broken(&"time-out"))?;
    let answer = answer.map_err(|error| broken(&error))?;
    serde_json::from_slice(&answer).map(Some).map_err(|error| broken(&error))
}
