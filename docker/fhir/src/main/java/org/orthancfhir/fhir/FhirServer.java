package org.orthancfhir.fhir;

import ca.uhn.fhir.rest.server.RestfulServer;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** Serves HAPI FHIR R4 under http://FHIR_HOST:FHIR_PORT/fhir until it is told to stop. */
public final class FhirServer {
  public static void main(String[] args) throws Exception {
    long begun = System.nanoTime();
    var settings = Settings.fromEnvironment();

    var beans = new AnnotationConfigApplicationContext();
    beans.registerBean(Settings.class, () -> settings);
    beans.register(FhirConfig.class);
    beans.refresh();
    beans.registerShutdownHook();

    var jetty = new Server();
    var connector = listener(jetty, settings);
    jetty.addConnector(connector);
    jetty.setHandler(new KnownHosts(settings.allowedHosts(), underFhir(beans.getBean(RestfulServer.class))));
    jetty.setStopAtShutdown(true);
    try {
      jetty.start();
    } catch (java.io.IOException refused) { // most of all: the port is taken
      System.err.printf("cannot listen on %s:%d (%s): free the port or set FHIR_PORT%n",
          settings.host(), settings.port(), refused.getMessage());
      System.exit(1);
    }
    System.out.printf("READY http://%s:%d/fhir on %s after %.1f s%n", settings.host(), connector.getLocalPort(),
        settings.onPostgres() ? "PostgreSQL" : "H2", (System.nanoTime() - begun) / 1e9);
    jetty.join();
  }

  private static ServerConnector listener(Server jetty, Settings settings) {
    var http = new HttpConfiguration();
    http.setSendServerVersion(false);
    var connector = new ServerConnector(jetty, new HttpConnectionFactory(http));
    connector.setHost(settings.host());
    connector.setPort(settings.port());
    return connector;
  }

  private static ServletContextHandler underFhir(RestfulServer fhir) {
    var servlet = new ServletHolder(fhir);
    servlet.setInitOrder(1); // at start, not at the first request
    var handler = new ServletContextHandler("/");
    handler.addServlet(servlet, "/fhir/*");
    return handler;
  }

  private FhirServer() {}
}
