//! A server whose settings break a promise. Alone in its file: it changes them for the whole server.

use std::sync::Arc;

use mysql_store::{Access, MySqlRecords, migrate};
use ports::Fault;
use ports::suite::ManualClock;
use sqlx::{Connection as _, Executor as _, MySqlConnection};

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_break_a_promise_are_refused() {
    // The database that the server was started with.
    let address = std::env::var("WHIMBREL_TEST_MYSQL").unwrap();
    let mut server = MySqlConnection::connect(&address).await.unwrap();
    let access = Access::new(&address, None).unwrap();
    migrate(&access).await.unwrap();
    let connect =
        async || MySqlRecords::connect(access.clone(), Arc::new(ManualClock::default())).await.map(drop);
    for (setting, bad, good) in
        [("innodb_flush_log_at_trx_commit", "2", "1"), ("max_allowed_packet", "1048576", "16777216")]
    {
        server.execute(format!("SET GLOBAL {setting} = {bad}").as_str()).await.unwrap();
        for refused in [connect().await, migrate(&access).await.map(drop)] {
            let Err(Fault::Unavailable(said)) = refused else { unreachable!("it was taken") };
            assert!(said.contains(&format!("{setting} is {bad}")), "{said}");
        }
        server.execute(format!("SET GLOBAL {setting} = {good}").as_str()).await.unwrap();
        connect().await.unwrap();
    }
}
