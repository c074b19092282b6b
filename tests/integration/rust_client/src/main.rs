//! Calls every method of the published client and prints what each gave, one JSON object a line:
//! `{"call": "list_traces", "ok": ...}` or `{"call": "list_traces", "error": "..."}`.
//!
//! With two arguments, an encoding and a compression, it sends by OpenTelemetry's exporters instead (otlp.rs).
//! Environment: XTRACE_URL (with a slash at the end), XTRACE_TOKEN.

mod otlp;

use chrono::{DateTime, Duration, TimeZone, Utc};
use serde_json::{json, Value};
use std::collections::HashMap;
use tracing_subscriber::layer::SubscriberExt;
use uuid::Uuid;
use xtrace_client::{
    current_trace_id, BatchIngestRequest, Client, Error, MetricPoint, MetricsDailyQuery,
    MetricsQueryParams, MetricsQueryResponse, ObservationIngest, TraceDetailDto, TraceIngest,
    TraceListItem, TraceListQuery, XtraceLayer,
};

fn report(call: &str, result: Result<Value, Error>) {
    let line = match result {
        Ok(value) => json!({"call": call, "ok": value}),
        Err(error) => json!({"call": call, "error": error.to_string()}),
    };
    println!("{line}");
}

fn trace_id() -> Uuid {
    Uuid::parse_str("6c0f1a52-3c1e-4b8e-9a0e-1d2c3b4a5f60").unwrap()
}

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 14, 12, 0, 0).unwrap() + Duration::nanoseconds(123_456_789)
}

fn batch() -> BatchIngestRequest {
    let mut trace = TraceIngest::new(trace_id())
        .with_session_id("session 1/ü")
        .with_turn_id("turn-1")
        .with_run_id("run-1");
    trace.timestamp = Some(noon());
    trace.name = Some("chat.turn".into());
    trace.input = Some(json!({"question": "2 + 2?"}));
    trace.output = Some(json!("4"));
    trace.user_id = Some("user-1".into());
    trace.tags = vec!["rust".into(), "beta".into()];
    trace.environment = Some("staging".into());
    trace.release = Some("r1".into());
    trace.version = Some("v1".into());
    trace.public = Some(true);

    let generation_id = Uuid::new_v4();
    let mut generation = ObservationIngest::new(generation_id, trace_id())
        .with_step_id("step-1")
        .with_step_type("llm_call");
    generation.name = Some("chat.generation".into());
    generation.start_time = Some(noon());
    generation.completion_start_time = Some(noon() + Duration::milliseconds(250));
    generation.end_time = Some(noon() + Duration::milliseconds(1500));
    generation.model = Some("gpt-4o".into());
    generation.model_parameters = Some(json!({"temperature": 0.5}));
    generation.prompt_tokens = Some(12);
    generation.completion_tokens = Some(30);
    generation.calculated_total_cost = Some(0.25);

    let mut tool = ObservationIngest::new(Uuid::new_v4(), trace_id())
        .with_step_id("step-2")
        .with_parent_step_id("step-1")
        .with_step_type("tool_call");
    tool.r#type = Some("SPAN".into());
    tool.name = Some("agent.tool".into());
    tool.parent_observation_id = Some(generation_id);
    tool.start_time = Some(noon() + Duration::milliseconds(500));
    tool.level = Some("ERROR".into());
    tool.status_message = Some("no such tool".into());
    BatchIngestRequest { trace: Some(trace), observations: vec![generation, tool] }
}

fn describe_item(item: &TraceListItem) -> Value {
    json!({
        "id": item.id, "timestamp": item.timestamp.to_rfc3339(), "name": item.name, "input": item.input,
        "sessionId": item.session_id, "userId": item.user_id, "tags": item.tags, "public": item.public,
        "environment": item.environment, "htmlPath": item.html_path, "latency": item.latency,
        "totalCost": item.total_cost, "observations": item.observations.len(), "scores": item.scores.len(),
        "metadata": item.metadata,
    })
}

fn describe_detail(trace: &TraceDetailDto) -> Value {
    json!({
        "id": trace.id, "input": trace.input, "output": trace.output, "metadata": trace.metadata,
        "observations": trace.observations, "scores": trace.scores.len(), "latency": trace.latency,
        "totalCost": trace.total_cost,
    })
}

fn describe_series(answer: MetricsQueryResponse) -> Value {
    let series: Vec<Value> = answer
        .data
        .iter()
        .map(|series| {
            let values: Vec<Value> =
                series.values.iter().map(|point| json!([point.timestamp, point.value])).collect();
            json!({"labels": series.labels, "values": values})
        })
        .collect();
    json!({"data": series, "latest": answer.meta.latest_ts, "count": answer.meta.series_count,
           "truncated": answer.meta.truncated})
}

async fn list(client: &Client, call: &str, query: TraceListQuery) {
    let page = client.list_traces(&query).await.map(|page| {
        let items: Vec<Value> = page.data.iter().map(describe_item).collect();
        json!({"data": items, "page": page.meta.page, "limit": page.meta.limit,
               "totalItems": page.meta.total_items, "totalPages": page.meta.total_pages})
    });
    report(call, page);
}

async fn traces(client: &Client) {
    report("healthz", client.healthz().await.map(|()| Value::Null));
    let acknowledged = client.ingest_batch(&batch()).await;
    report(
        "ingest_batch",
        acknowledged.map(|ack| json!({"message": ack.message, "code": ack.code, "data": ack.data})),
    );
    list(client, "list_traces", TraceListQuery::default()).await;
    let everything = TraceListQuery {
        page: Some(1),
        limit: Some(10),
        user_id: Some("user-1".into()),
        name: Some("chat.turn".into()),
        session_id: Some("session 1/ü".into()),
        from_timestamp: Some(noon() - Duration::seconds(1)),
        to_timestamp: Some(noon() + Duration::seconds(1)),
        order_by: Some("timestamp.asc".into()),
        tags: vec!["rust".into(), "beta".into()],
        version: Some("v1".into()),
        release: Some("r1".into()),
        environment: vec!["staging".into(), "production".into()],
        fields: Some("core,metrics".into()),
    };
    list(client, "list_traces filtered", everything).await;
    let nothing = TraceListQuery { user_id: Some("nobody".into()), ..Default::default() };
    list(client, "list_traces empty", nothing).await;
    report("get_trace", client.get_trace(trace_id()).await.map(|trace| describe_detail(&trace)));
    report("get_trace unknown", client.get_trace(Uuid::new_v4()).await.map(|_| Value::Null));
    let query = MetricsDailyQuery {
        page: Some(1),
        limit: Some(10),
        trace_name: Some("chat.turn".into()),
        user_id: Some("user-1".into()),
        tags: vec!["rust".into()],
        from_timestamp: Some(noon() - Duration::days(1)),
        to_timestamp: Some(noon() + Duration::days(1)),
        version: Some("v1".into()),
        release: Some("r1".into()),
    };
    let daily = client.metrics_daily(&query).await.map(|page| {
        let days: Vec<Value> = page
            .data
            .iter()
            .map(|day| {
                json!({"date": day.date, "countTraces": day.count_traces, "totalCost": day.total_cost,
                       "countObservations": day.count_observations, "usage": day.usage})
            })
            .collect();
        json!({"data": days, "totalItems": page.meta.total_items})
    });
    report("metrics_daily", daily);
}

async fn metrics(client: &Client) {
    let at = Utc.with_ymd_and_hms(2026, 3, 14, 12, 0, 5).unwrap();
    let point = |host: &str, value: f64| MetricPoint {
        name: "queue_depth".into(),
        labels: HashMap::from([("host".to_string(), host.to_string())]),
        value,
        timestamp: at,
    };
    let pushed = client.push_metrics(&[point("a", 2.0), point("a", 4.0), point("b", 7.5)]).await;
    report("push_metrics", pushed.map(|ack| json!({"message": ack.message, "code": ack.code})));
    let names = client.list_metric_names().await;
    report("list_metric_names", names.map(|names| json!(names)));
    let query = |labels: Option<&str>, group_by: Option<&str>| MetricsQueryParams {
        name: "queue_depth".into(),
        from: Some(at - Duration::minutes(5)),
        to: Some(at + Duration::minutes(5)),
        labels: labels.map(|host| HashMap::from([("host".to_string(), host.to_string())])),
        step: Some("1m".into()),
        agg: Some("avg".into()),
        group_by: group_by.map(String::from),
    };
    report("query_metrics", client.query_metrics(&query(None, None)).await.map(describe_series));
    let one = client.query_metrics(&query(Some("a"), Some("host"))).await;
    report("query_metrics grouped", one.map(describe_series));
}

/// The layer pushes what it has every 500 ms and swallows every error: what arrived is asked for.
async fn layer(client: &Client) {
    let subscriber = tracing_subscriber::registry().with(XtraceLayer::new(client.clone()));
    let mut inside = None;
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("answer_question");
        let _entered = span.enter();
        inside = current_trace_id();
        tracing::info!(metric = "layer_tokens", value = 42, model = "gpt-4o", session_id = "s-1");
    });
    report("current_trace_id", Ok(json!(inside)));
    for (call, name) in [("layer event", "layer_tokens"), ("layer span", "span_duration")] {
        let query = MetricsQueryParams { name: name.into(), ..Default::default() };
        let mut answer = client.query_metrics(&query).await;
        for _ in 0..50 {
            if !matches!(&answer, Ok(found) if found.data.is_empty()) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            answer = client.query_metrics(&query).await;
        }
        report(call, answer.map(describe_series));
    }
}

#[tokio::main]
async fn main() {
    let url = std::env::var("XTRACE_URL").expect("XTRACE_URL");
    let token = std::env::var("XTRACE_TOKEN").expect("XTRACE_TOKEN");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [encoding, compression] = arguments.as_slice() {
        return otlp::send(&url, &token, encoding, compression);
    }
    let client = Client::new(&url, &token).expect("the client starts");
    let stranger = Client::new(&url, "not the token").expect("the client starts");
    traces(&client).await;
    list(&stranger, "list_traces unauthorized", TraceListQuery::default()).await;
    metrics(&client).await;
    layer(&client).await;
}
