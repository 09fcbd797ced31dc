// SPDX-License-Identifier: GPL-3.0-or-later
// Orthanc Explorer: how the study on the screen stands in FHIR, and a button that re-syncs it.
(function () {
  'use strict';
  var EVERY = 2000, POLLS = 150;  // milliseconds between two looks at a study under way; looks at most
  var COLORS = { synced: '#2e7d32', parked: '#b00020', unreachable: '#b00020' };
  var asked = 0;  // requests sent; an answer to any but the newest one is dropped

  function shown() {  // Orthanc's id of the study on the screen
    var data = $.mobile.pageData;
    return data && data.active === 'study' && data.uuid || null;
  }

  function count(problems) {
    var number = $.isArray(problems) ? problems.length : problems;
    return number ? ' (' + number + (number === 1 ? ' problem)' : ' problems)') : '';
  }

  function render() {
    var uuid = shown(), url = '../fhir-sync/studies/' + encodeURIComponent(uuid), polls = 0;
    var box = $('<div id="fhir-sync-box">').css('margin-bottom', '1.5em');
    var state = $('<p role="status">').css({ 'font-weight': 'bold', margin: '0.5em' });
    var message = $('<p>').css({ margin: '0.5em', 'word-wrap': 'break-word' }), remedy = message.clone();
    var links = $('<p>').css('margin', '0.5em');
    var button = $('<a data-role="button" href="#" data-icon="refresh" data-theme="e">').text('Re-sync to FHIR');

    function say(text, color) {
      state.text('FHIR: ' + text).css('color', color || '');
      message.add(remedy).add(links).empty();
    }

    function link(text, href) {
      if (!href) { return; }
      if (links.children().length) { links.append(' \u00b7 '); }
      $('<a target="_blank" rel="noopener noreferrer">').text(text).attr('href', href).appendTo(links);
    }

    function web(url) { return /^https?:\/\//.test(url || '') ? url : ''; }

    function ask(type) {
      var mine = ++asked;
      function current() { return mine === asked && shown() === uuid; }
      $.ajax({
        url: url, type: type, cache: false, dataType: 'json', timeout: 30000,
        contentType: 'application/json', data: type === 'POST' ? '{"wait": 5}' : undefined,
        success: function (answer) {
          if (!current()) { return; }
          button.removeClass('ui-disabled');
          say(answer.state + count(answer.problems), COLORS[answer.state]);
          message.text(answer.message || '');
          remedy.text(answer.remedy ? 'What to do: ' + String(answer.remedy).replace(/`/g, '') : '');
          link('Open in FHIR', web(answer.fhir_url));
          link('Details', url + '/page');
          link('On the mapper\u2019s pages', web(answer.page_url));
          if ((answer.state === 'pending' || answer.state === 'syncing') && polls++ < POLLS) {
            setTimeout(function () { if (current()) { ask('GET'); } }, EVERY);
          }
        },
        error: function (request) {
          if (!current()) { return; }
          button.removeClass('ui-disabled');
          say(request.status === 404 ? 'this study is no longer in Orthanc'
            : request.status ? 'Orthanc refused (HTTP ' + request.status + '), reload the page'
            : 'Orthanc does not answer', COLORS.unreachable);
        }
      });
    }

    asked++;
    $('#fhir-sync-box').remove();
    if (!uuid) { return; }
    box.data('uuid', uuid).append(button).append(state).append(message).append(remedy).append(links).insertAfter($('#study-info'));
    button.button().click(function (event) {
      event.preventDefault();
      if (shown() !== uuid) { render(); return; }  // the page has moved on: never act on what is not shown
      polls = 0;
      button.addClass('ui-disabled');
      say('re-sync requested ...');
      ask('POST');
    });
    say('...');
    ask('GET');
  }

  $('#study').live('pagebeforeshow', render);
  $(window).bind('hashchange', function () {  // from study to study (URL edited, back) no page event is fired
    var page = $.mobile.activePage;
    if (page && page.attr('id') === 'study' && shown() && $('#fhir-sync-box').data('uuid') !== shown()) { render(); }
  });
})();
