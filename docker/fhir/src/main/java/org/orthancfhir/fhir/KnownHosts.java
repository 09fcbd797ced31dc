package org.orthancfhir.fhir;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.HostPort;

/**
 * Answers 421 (RFC 9110 15.5.20) to requests for hosts that are not ours.
 *
 * <p>A page of another site may have its own host name resolved to this machine (DNS rebinding): the browser then takes
 * this server for that site's own, and lets the page read from it and write to it. Such a request still names that host.
 */
final class KnownHosts extends Handler.Wrapper {
  private static final List<String> LOOPBACK = List.of("localhost", "127.0.0.1", "::1");
  private static final List<String> EVERY_ADDRESS = List.of("0.0.0.0", "::");
  private static final HttpField JSON = new HttpField(HttpHeader.CONTENT_TYPE, "application/fhir+json;charset=UTF-8");
  private static final String REFUSAL = """
      {"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"security",\
      "diagnostics":"This server does not answer for the host of this request; FHIR_ALLOWED_HOSTS names those it answers for."}]}""";

  private final Set<String> hosts;

  KnownHosts(Set<String> hosts, Handler handler) {
    super(handler);
    this.hosts = hosts;
  }

  /** Returns the hosts of a list of names, addresses and URLs, with the address listened on, and loopback. */
  static Set<String> of(String list, String listensOn) {
    var hosts = new HashSet<>(LOOPBACK);
    if (!EVERY_ADDRESS.contains(listensOn)) {
      hosts.add(plain(listensOn));
    }
    for (var entry : list.strip().split("[\\s,]+")) {
      if (!entry.isEmpty()) {
        var host = entry.contains("://") ? HttpURI.from(entry).getHost() : new HostPort(entry).getHost();
        if (host == null || host.isEmpty()) {
          throw new IllegalArgumentException("FHIR_ALLOWED_HOSTS: names, addresses and URLs, divided by blanks or commas");
        }
        hosts.add(plain(host));
      }
    }
    return Set.copyOf(hosts);
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    var host = request.getHttpURI().getHost();
    var said = request.getHeaders().contains(HttpHeader.HOST); // where HTTP/1.0 says none, Jetty puts its own address
    if (said && host != null && hosts.contains(plain(host))) {
      return super.handle(request, response, callback);
    }
    response.setStatus(HttpStatus.MISDIRECTED_REQUEST_421);
    response.getHeaders().put(JSON);
    Content.Sink.write(response, true, REFUSAL, callback);
    return true;
  }

  private static String plain(String host) {
    var name = host.toLowerCase(Locale.ROOT);
    if (name.startsWith("[") && name.endsWith("]")) {
      return name.substring(1, name.length() - 1);
    }
    return name.endsWith(".") ? name.substring(0, name.length() - 1) : name; // the root of DNS, which names the same host
  }
}
