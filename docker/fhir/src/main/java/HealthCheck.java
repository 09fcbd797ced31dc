import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Exits with 0 when the FHIR server beside it answers a search; without a package, as in the image hapiproject/hapi. */
public final class HealthCheck {
  public static void main(String[] args) throws Exception {
    var port = System.getenv().getOrDefault("FHIR_PORT", "8080");
    var search = URI.create("http://127.0.0.1:" + port + "/fhir/Patient?_summary=count"); // touches the database
    var request = HttpRequest.newBuilder(search).timeout(Duration.ofSeconds(10)).build();
    try {
      var status = HttpClient.newHttpClient().send(request, BodyHandlers.discarding()).statusCode();
      System.exit(status == 200 ? 0 : 1);
    } catch (java.io.IOException down) {
      System.exit(1);
    }
  }

  private HealthCheck() {}
}
