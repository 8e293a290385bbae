use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header::CONTENT_TYPE, request::Builder},
};
use campaign::Campaign;
use instance::{Instance, InstanceKey, InstanceOptions, create_instance};
use ledger::CampaignEvent;
use model::{CampaignId, CampaignState, Clock, InstanceKind, Randomness, Timestamp};
use notice::Language;
use recoveries::Recovery;
use store::{NewCampaign, Store, StoreOptions};
use tempfile::TempDir;
use tower::ServiceExt as _;
use web::{
    AppState, InProcess, Listener, Look, LookOptions, ServeOptions, console_routes, metrics_routes,
    people_routes,
};

/// Where requests come from, if nobody says.
const PEER: &str = "192.0.2.1";

/// The proxy that is believed, where one is named.
pub(crate) const PROXY: &str = "10.0.0.1";

/// All that is answered for one site, whose store is empty.
pub(crate) struct Pages {
    state: AppState,
    router: Router,
    pub(crate) site: Arc<Instance>,
    pub(crate) store: Store,
    pub(crate) folder: TempDir,
    clock: StoppedClock,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Pages {
    pub(crate) async fn open() -> Self {
        Self::with(named(), |office| office).await
    }

    pub(crate) async fn with(look: LookOptions, change: impl FnOnce(AppState) -> AppState) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let clock = StoppedClock::default();
        let site = Arc::new(site(&store, &folder, clock.clone()).await);
        let operations = InProcess::new(Arc::clone(&site));
        let state = change(AppState::new(Arc::new(operations), Arc::new(Look::new(look))));
        Self { router: router(state.clone()), state, site, store, folder, clock }
    }

    /// The same store, behind pages that are changed like this.
    pub(crate) fn changed(self, change: impl FnOnce(AppState) -> AppState) -> Self {
        let state = change(self.state.clone());
        Self { router: router(state.clone()), state, ..self }
    }

    /// The same store, behind pages on which people choose new passwords.
    pub(crate) fn with_recovery(self, recovery: Recovery) -> Self {
        let chars_min = recovery.password_chars_min();
        let operations = self.operations().with_recovery(Arc::new(recovery));
        let state = AppState::new(Arc::new(operations), Arc::new(Look::new(named())));
        let state = state.with_resets(chars_min);
        Self { router: router(state.clone()), state, ..self }
    }

    /// What operators are shown.
    pub(crate) fn for_operators(self) -> Self {
        let look = Arc::new(Look::new(named()));
        Self { router: console_routes(self.operations(), look), ..self }
    }

    /// What programs are told that watch over this one.
    pub(crate) fn for_machines(self) -> Self {
        Self { router: metrics_routes(self.operations()), ..self }
    }

    /// It is this moment now.
    pub(crate) fn set_clock(&self, now: Timestamp) {
        self.clock.0.store(now.as_micros(), Ordering::Relaxed);
    }

    /// A campaign that is being put together, in rows and log.
    pub(crate) async fn draft(&self, name: &str) -> CampaignId {
        let at = Timestamp::from_micros(1_352_332_800_000_000);
        let mut tx = self.store.begin().await.unwrap();
        let (name, author) = (name.to_owned(), "ana".to_owned());
        let new = NewCampaign {
            name: name.clone(),
            author: author.clone(),
            policy: Vec::new(),
            created_at: at,
            leaks: Vec::new(),
        };
        let campaign = tx.add_campaign(new).await.unwrap();
        let machine = serde_json::to_vec(&Campaign::draft(campaign, at)).unwrap();
        tx.save_campaign(campaign, CampaignState::Draft, machine).await.unwrap();
        let leaks = Vec::new();
        let drafted =
            CampaignEvent::CampaignDrafted { campaign, name, author, leaks, machine: None };
        self.site.record(&mut tx, &[drafted.into()]).await.unwrap();
        tx.commit().await.unwrap();
        campaign
    }

    pub(crate) fn operations(&self) -> InProcess {
        InProcess::new(Arc::clone(&self.site))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path)).await
    }

    pub(crate) async fn send(&self, request: Builder) -> Answer {
        self.send_from(PEER, request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        self.send_from(PEER, posted(path, form)).await
    }

    pub(crate) async fn send_from(&self, peer: &str, mut request: Request<Body>) -> Answer {
        let peer = SocketAddr::new(peer.parse().unwrap(), 50_000);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What the browser's tab shows.
    pub(crate) fn title(&self) -> &str {
        let title = self.body.split("<title>").nth(1).unwrap_or_default();
        title.split("</title>").next().unwrap_or_default()
    }
}

fn router(state: AppState) -> Router {
    let options = ServeOptions {
        listener: Listener::People,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: None,
        trusted_proxy: Some(PROXY.parse().unwrap()),
    };
    people_routes(state, &options)
}

/// A form as browsers send it.
pub(crate) fn posted(path: &str, form: &str) -> Request<Body> {
    let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(Body::from(form.to_owned())).unwrap()
}

/// The look of a site that has said what it is called, and no more.
pub(crate) fn named() -> LookOptions {
    LookOptions {
        name: Some("Example".parse().unwrap()),
        sender: Some("security@example.org".parse().unwrap()),
        reset_path: "Sign in > Forgot password".parse().unwrap(),
        language: Language::English,
        accent: None,
        logo: None,
    }
}

async fn store(folder: &TempDir) -> Store {
    let store = Store::open(&store_url(folder), StoreOptions { connections_max: 2 }).await.unwrap();
    store.migrate().await.unwrap();
    store
}

pub(crate) fn store_url(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("store.sqlite3").display())
}

async fn site(store: &Store, folder: &TempDir, clock: StoppedClock) -> Instance {
    let key = InstanceKey::parse(&"7".repeat(64)).unwrap();
    let kind = InstanceKind::Rehearsal;
    create_instance(store, &key, kind, &clock, &Sevens).await.unwrap();
    let options = InstanceOptions {
        lease: Duration::from_mins(1),
        piece_bytes: 1 << 20,
        spool_folder: folder.path().join("spool"),
    };
    Instance::open(store.clone(), key, Arc::new(clock), Arc::new(Sevens), options).await.unwrap()
}

/// It goes on only where a test says so.
#[derive(Clone)]
struct StoppedClock(Arc<AtomicI64>);

impl Default for StoppedClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(1_352_332_800_000_000)))
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

struct Sevens;

impl Randomness for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}
