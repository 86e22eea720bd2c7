// Runs before the first paint: language, time zone and colours of gain and loss come from cookies.
(function () {
  function cookie(name) {
    var found = document.cookie.split("; ").find(function (row) { return row.indexOf(name + "=") === 0; });
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  }
  function keep(name, value) {
    document.cookie = name + "=" + encodeURIComponent(value) + ";path=/;max-age=31536000;samesite=lax";
  }
  var locale = cookie("locale");
  if (locale !== "en" && locale !== "ru") {
    locale = /^(ru|be|kk|uk)\b/i.test(navigator.language || "") ? "ru" : "en";
    keep("locale", locale);
  }
  var zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  if (zone && cookie("zone") !== zone) keep("zone", zone);
  document.documentElement.lang = locale;
  document.documentElement.dataset.gains = cookie("gains") || "green";
})();
