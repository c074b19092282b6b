//! Sends a session by OpenTelemetry's exporters: spans with all kinds of attributes, an event, a link and a status,
//! a metric of each kind, a record of GenAI and another. Prints the trace's id.

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{
    Span, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer, TracerProvider,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    Compression, LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig,
    WithHttpConfig,
};
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use opentelemetry_sdk::Resource;
use std::collections::HashMap;
use tokio::runtime::Handle;

/// The exporters' threads have no runtime of their own.
#[derive(Debug, Clone)]
struct Http(reqwest::Client, Handle);

#[async_trait::async_trait]
impl HttpClient for Http {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.0.clone();
        self.1
            .spawn(async move {
                let answer = client.execute(request.try_into()?).await?;
                let status = answer.status();
                Ok(Response::builder().status(status).body(answer.bytes().await?)?)
            })
            .await?
    }
}

struct Providers {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    logs: SdkLoggerProvider,
}

fn providers(url: &str, token: &str, protocol: Protocol, gzip: bool) -> Providers {
    let http = Http(reqwest::Client::new(), Handle::current());
    let headers = HashMap::from([("Authorization".to_string(), format!("Bearer {token}"))]);
    macro_rules! exporter {
        ($builder:expr, $path:expr) => {{
            let builder = $builder
                .with_http()
                .with_http_client(http.clone())
                .with_endpoint(format!("{url}{}", $path))
                .with_protocol(protocol)
                .with_headers(headers.clone());
            let builder = if gzip { builder.with_compression(Compression::Gzip) } else { builder };
            builder.build().unwrap()
        }};
    }
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", "rust-agent"),
            KeyValue::new("service.version", "1.2.3"),
            KeyValue::new("deployment.environment.name", "Staging"),
            KeyValue::new("langfuse.release", "r7"),
        ])
        .build();
    let spans = exporter!(SpanExporter::builder(), "v1/traces");
    let metrics = exporter!(MetricExporter::builder(), "v1/metrics");
    let logs = exporter!(LogExporter::builder(), "v1/logs");
    Providers {
        traces: SdkTracerProvider::builder().with_batch_exporter(spans).with_resource(resource.clone()).build(),
        metrics: SdkMeterProvider::builder().with_periodic_exporter(metrics).with_resource(resource.clone()).build(),
        logs: SdkLoggerProvider::builder().with_batch_exporter(logs).with_resource(resource).build(),
    }
}

fn send_spans(providers: &Providers) -> (TraceId, SpanId) {
    let scope = InstrumentationScope::builder("rust.scope")
        .with_version("4")
        .with_attributes([KeyValue::new("team", "llm")])
        .build();
    let tracer = providers.traces.tracer_with_scope(scope);
    let root = tracer
        .span_builder("invoke_agent planner")
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("gen_ai.operation.name", "invoke_agent"),
            KeyValue::new("user.id", "user/ü 1"),
            KeyValue::new("session.id", "rust-session"),
            KeyValue::new("langfuse.trace.tags", Value::Array(Array::String(vec!["b".into(), "a".into()]))),
        ])
        .start(&tracer);
    let context = Context::current_with_span(root);
    let mut chat = tracer.span_builder("chat gpt-4o").start_with_context(&tracer, &context);
    for attribute in [
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.request.model", "gpt-4o"),
        KeyValue::new("gen_ai.request.temperature", 0.5),
        KeyValue::new("gen_ai.usage.input_tokens", 12),
        KeyValue::new("gen_ai.usage.output_tokens", 30),
        KeyValue::new("gen_ai.usage.cache_read.input_tokens", 2),
        KeyValue::new("gen_ai.output.messages", r#"[{"role":"assistant","content":"4"}]"#),
        KeyValue::new("int", i64::MIN),
        KeyValue::new("double", 1.5),
        KeyValue::new("bool", false),
        KeyValue::new("text", "ü😀\"\\\n"),
        KeyValue::new("texts", Value::Array(Array::String(vec![StringValue::from("x"), StringValue::from("")]))),
        KeyValue::new("ints", Value::Array(Array::I64(vec![1, -2]))),
        KeyValue::new("doubles", Value::Array(Array::F64(vec![0.5, 2.25]))),
        KeyValue::new("bools", Value::Array(Array::Bool(vec![true, false]))),
    ] {
        chat.set_attribute(attribute);
    }
    chat.add_link(
        SpanContext::new(TraceId::from(7), SpanId::from(8), TraceFlags::SAMPLED, true, TraceState::default()),
        vec![KeyValue::new("why", "retry")],
    );
    chat.add_event("first token", vec![KeyValue::new("index", 0)]);
    chat.set_status(Status::error("cut off"));
    let ids = (chat.span_context().trace_id(), chat.span_context().span_id());
    chat.end();
    context.span().end();
    ids
}

fn send_logs(providers: &Providers, (trace, span): (TraceId, SpanId)) {
    let logger = providers.logs.logger("rust.logger");
    let mut message = logger.create_log_record();
    message.set_event_name("gen_ai.user.message");
    message.set_timestamp(std::time::SystemTime::now());
    message.set_trace_context(trace, span, None);
    message.set_body(AnyValue::Map(Box::new(HashMap::from([("content".into(), AnyValue::from("2 + 2?"))]))));
    logger.emit(message);
    let mut other = logger.create_log_record();
    other.set_body(AnyValue::from("not of GenAI"));
    logger.emit(other);
}

fn send_metrics(providers: &Providers, name: &str) {
    let meter = providers.metrics.meter("rust.meter");
    let labels = [KeyValue::new("model", "gpt-4o")];
    meter.u64_counter(format!("{name}.counter")).with_unit("1").build().add(3, &labels);
    meter.i64_up_down_counter(format!("{name}.updown")).build().add(-2, &labels);
    meter.f64_gauge(format!("{name}.gauge")).build().record(1.5, &labels);
    let histogram = meter.f64_histogram(format!("{name}.histogram")).with_boundaries(vec![1.0, 2.0]).build();
    histogram.record(0.5, &labels);
    histogram.record(1.5, &labels);
}

/// encoding: "protobuf" or "json", "gzip" or "plain".
pub fn send(url: &str, token: &str, encoding: &str, compression: &str) {
    let protocol = if encoding == "json" { Protocol::HttpJson } else { Protocol::HttpBinary };
    let providers = providers(url, token, protocol, compression == "gzip");
    let ids = send_spans(&providers);
    send_logs(&providers, ids);
    send_metrics(&providers, &format!("{encoding}.{compression}"));
    providers.traces.shutdown().unwrap();
    providers.logs.shutdown().unwrap();
    providers.metrics.shutdown().unwrap();
    println!("{}", ids.0);
}
