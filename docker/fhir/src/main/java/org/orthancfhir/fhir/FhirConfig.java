package org.orthancfhir.fhir;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings.ClientIdStrategyEnum;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings.IdStrategyEnum;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.api.model.HistoryCountModeEnum;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.binary.api.IBinaryStorageSvc;
import ca.uhn.fhir.jpa.binstore.DatabaseBinaryContentStorageSvcImpl;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.interceptor.UserRequestRetryVersionConflictsInterceptor;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirPostgresDialect;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.match.deliver.email.IEmailSender;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.IValidatorModule;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import jakarta.persistence.EntityManagerFactory;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/** Gives HAPI's JPA module the beans it expects from its host, and nothing more. */
@Configuration
@Import({
  JpaR4Config.class, HapiJpaConfig.class, ThreadPoolFactoryConfig.class, JpaBatch2Config.class, Batch2JobsConfig.class,
  SubscriptionSubmitterConfig.class, SubscriptionProcessorConfig.class, SubscriptionChannelConfig.class
})
public class FhirConfig {

  // ---- what is stored, and how

  @Bean
  JpaStorageSettings storageSettings() {
    var storage = new JpaStorageSettings();
    storage.setResourceClientIdStrategy(ClientIdStrategyEnum.ANY); // the mapper chooses every id
    storage.setResourceServerIdStrategy(IdStrategyEnum.UUID); // what ANY asks for
    storage.setReuseCachedSearchResultsForMillis(null); // a search sees what was written just before
    storage.setHistoryCountMode(HistoryCountModeEnum.COUNT_ACCURATE); // a cached total cuts _history short
    return storage;
  }

  @Bean
  PartitionSettings partitionSettings() {
    return new PartitionSettings();
  }

  @Bean
  SubscriptionSettings subscriptionSettings() {
    return new SubscriptionSettings();
  }

  @Bean
  IBinaryStorageSvc binaryStorage() {
    return new DatabaseBinaryContentStorageSvcImpl();
  }

  @Bean
  IEmailSender emailSender() {
    return details -> {};
  }

  // ---- the database

  @Bean(destroyMethod = "close")
  HikariDataSource dataSource(Settings settings) {
    var pool = new HikariConfig();
    pool.setJdbcUrl(settings.jdbcUrl());
    pool.setUsername(settings.jdbcUser());
    pool.setPassword(settings.jdbcPassword());
    pool.setMaximumPoolSize(settings.jdbcPool());
    pool.setConnectionTimeout(settings.jdbcTimeoutMillis());
    return new HikariDataSource(pool);
  }

  @Bean
  LocalContainerEntityManagerFactoryBean entityManagerFactory(ConfigurableListableBeanFactory beans,
      FhirContext fhir, JpaStorageSettings storage, DataSource dataSource, Settings settings) {
    var dialect = settings.onPostgres() ? HapiFhirPostgresDialect.class : HapiFhirH2Dialect.class;
    var factory = HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, storage);
    factory.setPersistenceUnitName("HAPI_PU");
    factory.setDataSource(dataSource);
    factory.setJpaPropertyMap(Map.of(
        "hibernate.dialect", dialect.getName(),
        "hibernate.hbm2ddl.auto", "update",
        "hibernate.jdbc.batch_size", 30,
        "hibernate.cache.use_query_cache", false,
        "hibernate.cache.use_second_level_cache", false,
        "hibernate.search.enabled", false));
    return factory;
  }

  @Bean
  @Primary
  JpaTransactionManager transactionManager(EntityManagerFactory entityManagerFactory) {
    return new JpaTransactionManager(entityManagerFactory);
  }

  // ---- what answers HTTP

  @Bean
  RestfulServer fhirServer(FhirContext fhir, ResourceProviderFactory resources, IJpaSystemProvider system,
      IFhirSystemDao<?, ?> systemDao, JpaStorageSettings storage, ISearchParamRegistry searchParams,
      IValidationSupport support, IValidatorModule validator, DatabaseBackedPagingProvider paging,
      Settings settings) {
    var server = new RestfulServer(fhir);
    server.setDefaultResponseEncoding(EncodingEnum.JSON);
    server.setPagingProvider(paging);
    server.registerProviders(resources.createProviders());
    server.registerProvider(system);
    server.setServerConformanceProvider(
        new JpaCapabilityStatementProvider(server, systemDao, storage, searchParams, support));
    if (settings.retryOnConflict()) { // heeds the header X-Retry-On-Version-Conflict
      server.registerInterceptor(new UserRequestRetryVersionConflictsInterceptor());
    }
    if (settings.strictParser()) { // an unknown element is refused, not dropped
      fhir.setParserErrorHandler(new StrictErrorHandler());
    }
    if (settings.validateRequests()) { // every body against the R4 profiles: 422
      var validation = new RequestValidatingInterceptor();
      validation.setValidatorModules(List.of(validator));
      server.registerInterceptor(validation);
    }
    return server;
  }
}
