//! The pages' own style and scripts, from the binary. Their address carries a mark of their content, so they are kept
//! by browsers for good and replaced with the release.

use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::web::Path;
use sha2::{Digest, Sha256};

use super::problem::Problem;

struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

const ASSETS: &[Asset] = &[
    Asset { name: "style.css", kind: "text/css; charset=utf-8", body: include_str!("../../assets/style.css") },
    Asset { name: "live.js", kind: SCRIPT, body: include_str!("../../assets/live.js") },
    Asset { name: "invoice.js", kind: SCRIPT, body: include_str!("../../assets/invoice.js") },
    Asset { name: "pay.js", kind: SCRIPT, body: include_str!("../../assets/pay.js") },
    Asset { name: "sandbox.js", kind: SCRIPT, body: include_str!("../../assets/sandbox.js") },
    Asset { name: "icon.svg", kind: "image/svg+xml", body: include_str!("../../assets/icon.svg") },
];

/// The mark of all assets together.
pub(super) type Version = str;

/// Eight characters that change with any of the assets.
pub(super) fn version() -> &'static Version {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let mut hash = Sha256::new();
        for asset in ASSETS {
            hash.update(asset.body);
        }
        let digest = hash.finalize();
        let mark = digest.iter().take(4).fold(0_u32, |mark, byte| (mark << 8) | u32::from(*byte));
        format!("{mark:08x}")
    })
}

/// A style or script of the pages.
#[utoipa::path(
    get, path = "/assets/{version}/{name}", tag = "pages",
    params(("version" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = String, content_type = "text/css"), (status = 404, description = "No such file"))
)]
pub(super) async fn asset(path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (version, name) = path.into_inner();
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or_else(Problem::no_route)?;
    // A page of another release asks for its own files: it gets today's, and does not keep them.
    let keep = if version == self::version() { "public, max-age=31536000, immutable" } else { "no-store" };
    Ok(HttpResponse::Ok().content_type(asset.kind).insert_header(("Cache-Control", keep)).body(asset.body))
}
