//! When the database was last dumped, as `config/backup/backup` notes it, is told to Prometheus.

use jiff::Timestamp;
use shopmicro_backend::db::backups::newest;
use shopmicro_backend::workers::backups::pass;

use crate::harness::TestApp;

#[tokio::test]
async fn the_time_of_the_newest_dump_is_told() {
    let app = TestApp::new().await;
    let comment = async |text: &str| {
        let name = app.rows("select current_database()", &[]).await[0].get::<_, String>(0);
        app.sql(&format!("comment on database \"{name}\" is '{text}'")).await;
        newest(&app.connection().await).await.expect("asked")
    };
    assert_eq!(newest(&app.connection().await).await.expect("asked"), None);
    assert_eq!(comment("the shop of shopmicro-20261127T030000Z.dump").await, None);
    let at: Timestamp = "2026-11-27T03:00:00Z".parse().expect("a time");
    assert_eq!(comment("newest dump: shopmicro-20261127T030000Z.dump").await, Some(at));

    pass(&app.state).await.expect("a pass");
    let metrics = app.guest().get("/metrics").await.text;
    assert!(metrics.contains("\nshop_backup_time_seconds 1795748400\n"), "{metrics}");
}
