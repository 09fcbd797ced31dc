package org.orthancfhir.fhir;

import java.util.Set;

/**
 * What can be set from outside, each by one environment variable.
 *
 * <p>Without FHIR_JDBC_URL the resources live in memory (H2) and are gone with the process. FHIR_ALLOWED_HOSTS adds hosts,
 * as names, addresses or URLs, to those that requests may be for: loopback and FHIR_HOST.
 */
public record Settings(
    String host,
    int port,
    Set<String> allowedHosts,
    String jdbcUrl,
    String jdbcUser,
    String jdbcPassword,
    int jdbcPool,
    int jdbcTimeoutMillis,
    boolean retryOnConflict,
    boolean strictParser,
    boolean validateRequests) {

  static Settings fromEnvironment() {
    return new Settings(
        env("FHIR_HOST", "127.0.0.1"),
        Integer.parseInt(env("FHIR_PORT", "8080")),
        KnownHosts.of(env("FHIR_ALLOWED_HOSTS", ""), env("FHIR_HOST", "127.0.0.1")),
        env("FHIR_JDBC_URL", "jdbc:h2:mem:fhir;DB_CLOSE_DELAY=-1"),
        env("FHIR_JDBC_USER", "sa"),
        env("FHIR_JDBC_PASSWORD", ""),
        Integer.parseInt(env("FHIR_JDBC_POOL", "20")),
        Integer.parseInt(env("FHIR_JDBC_TIMEOUT_MS", "30000")),
        Boolean.parseBoolean(env("FHIR_RETRY_ON_CONFLICT", "false")),
        Boolean.parseBoolean(env("FHIR_STRICT_PARSER", "false")),
        Boolean.parseBoolean(env("FHIR_VALIDATE_REQUESTS", "false")));
  }

  boolean onPostgres() {
    return jdbcUrl.startsWith("jdbc:postgresql:");
  }

  private static String env(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isBlank() ? otherwise : value;
  }
}
