package ops

// demoDeck is the sample provider's price list: prefix, name, price per minute in thousandths. Prefixes
// are E.164 facts; prices are made up.
const demoDeck = `1;USA and Canada;8
1242;Bahamas;160
1246;Barbados;190
1264;Anguilla;210
1268;Antigua and Barbuda;200
1284;British Virgin Islands;190
1340;US Virgin Islands;12
1345;Cayman Islands;170
1441;Bermuda;45
1473;Grenada;220
1649;Turks and Caicos;220
1664;Montserrat;240
1671;Guam;20
1684;American Samoa;60
1721;Sint Maarten;130
1758;Saint Lucia;220
1767;Dominica;230
1784;Saint Vincent;220
1787;Puerto Rico;10
1809;Dominican Republic;25
1868;Trinidad and Tobago;120
1869;Saint Kitts and Nevis;210
1876;Jamaica;190
20;Egypt;95
211;South Sudan;320
212;Morocco;220
2126;Morocco mobile;340
213;Algeria;90
2136;Algeria mobile;380
216;Tunisia;410
218;Libya;290
220;Gambia;480
221;Senegal;330
222;Mauritania;430
223;Mali;330
224;Guinea;460
225;Ivory Coast;390
226;Burkina Faso;350
227;Niger;340
228;Togo;360
229;Benin;350
230;Mauritius;90
231;Liberia;430
232;Sierra Leone;450
233;Ghana;260
234;Nigeria;90
235;Chad;420
236;Central African Republic;520
237;Cameroon;310
238;Cape Verde;250
239;Sao Tome and Principe;680
240;Equatorial Guinea;410
241;Gabon;390
242;Congo;430
243;DR Congo;390
244;Angola;120
245;Guinea-Bissau;520
248;Seychelles;480
249;Sudan;220
250;Rwanda;300
251;Ethiopia;260
252;Somalia;560
253;Djibouti;410
254;Kenya;180
255;Tanzania;320
256;Uganda;300
257;Burundi;490
258;Mozambique;310
260;Zambia;310
261;Madagascar;560
262;Reunion;30
263;Zimbabwe;350
264;Namibia;110
265;Malawi;400
266;Lesotho;260
267;Botswana;200
268;Eswatini;190
269;Comoros;510
27;South Africa;60
276;South Africa mobile;120
277;South Africa mobile;120
278;South Africa mobile;120
291;Eritrea;320
297;Aruba;130
298;Faroe Islands;40
299;Greenland;380
30;Greece;12
306;Greece mobile;40
31;Netherlands;10
316;Netherlands mobile;28
32;Belgium;11
324;Belgium mobile;32
33;France;9
336;France mobile;30
337;France mobile;30
34;Spain;9
346;Spain mobile;24
347;Spain mobile;24
350;Gibraltar;60
351;Portugal;11
3519;Portugal mobile;26
352;Luxembourg;14
3526;Luxembourg mobile;45
353;Ireland;10
3538;Ireland mobile;30
354;Iceland;16
355;Albania;140
3556;Albania mobile;290
356;Malta;20
357;Cyprus;14
3579;Cyprus mobile;28
358;Finland;28
3584;Finland mobile;38
3585;Finland mobile;38
359;Bulgaria;15
3598;Bulgaria mobile;60
36;Hungary;12
3620;Hungary mobile;36
3630;Hungary mobile;36
3670;Hungary mobile;36
370;Lithuania;26
3706;Lithuania mobile;32
371;Latvia;60
3712;Latvia mobile;90
372;Estonia;20
3725;Estonia mobile;50
373;Moldova;180
3736;Moldova mobile;260
3737;Moldova mobile;260
374;Armenia;130
375;Belarus;310
3752;Belarus mobile;320
376;Andorra;40
377;Monaco;60
378;San Marino;45
380;Ukraine;110
38050;Ukraine mobile;160
38063;Ukraine mobile;160
38067;Ukraine mobile;160
38093;Ukraine mobile;160
381;Serbia;120
3816;Serbia mobile;240
382;Montenegro;140
383;Kosovo;250
385;Croatia;14
3859;Croatia mobile;45
386;Slovenia;18
38631;Slovenia mobile;60
38641;Slovenia mobile;60
387;Bosnia and Herzegovina;150
389;North Macedonia;150
39;Italy;9
393;Italy mobile;30
40;Romania;10
407;Romania mobile;26
41;Switzerland;15
4176;Switzerland mobile;70
4178;Switzerland mobile;70
4179;Switzerland mobile;70
420;Czech Republic;11
4206;Czech Republic mobile;26
4207;Czech Republic mobile;26
421;Slovakia;13
4219;Slovakia mobile;34
423;Liechtenstein;45
43;Austria;11
436;Austria mobile;28
44;United Kingdom;8
447;United Kingdom mobile;24
45;Denmark;9
46;Sweden;9
467;Sweden mobile;24
47;Norway;9
474;Norway mobile;26
479;Norway mobile;26
48;Poland;9
485;Poland mobile;22
486;Poland mobile;22
487;Poland mobile;22
49;Germany;8
4915;Germany mobile;25
4916;Germany mobile;25
4917;Germany mobile;25
500;Falkland Islands;780
501;Belize;240
502;Guatemala;120
503;El Salvador;160
504;Honduras;150
505;Nicaragua;190
506;Costa Rica;40
507;Panama;45
508;Saint Pierre and Miquelon;240
509;Haiti;290
51;Peru;12
519;Peru mobile;25
52;Mexico;9
53;Cuba;690
54;Argentina;14
549;Argentina mobile;110
55;Brazil;13
56;Chile;16
569;Chile mobile;30
57;Colombia;14
58;Venezuela;20
590;Guadeloupe;30
591;Bolivia;120
592;Guyana;230
593;Ecuador;120
594;French Guiana;30
595;Paraguay;50
596;Martinique;30
597;Suriname;220
598;Uruguay;60
599;Curacao;110
60;Malaysia;12
61;Australia;12
614;Australia mobile;30
62;Indonesia;50
628;Indonesia mobile;60
63;Philippines;110
639;Philippines mobile;130
64;New Zealand;14
642;New Zealand mobile;50
65;Singapore;9
66;Thailand;14
670;East Timor;690
673;Brunei;40
674;Nauru;980
675;Papua New Guinea;690
676;Tonga;640
677;Solomon Islands;900
678;Vanuatu;760
679;Fiji;240
680;Palau;380
682;Cook Islands;820
685;Samoa;660
686;Kiribati;850
687;New Caledonia;240
689;French Polynesia;260
691;Micronesia;360
692;Marshall Islands;330
7;Russia;40
79;Russia mobile;90
77;Kazakhstan;110
81;Japan;18
8170;Japan mobile;90
8180;Japan mobile;90
8190;Japan mobile;90
82;South Korea;12
8210;South Korea mobile;24
84;Vietnam;90
850;North Korea;720
852;Hong Kong;14
853;Macao;60
855;Cambodia;90
856;Laos;80
86;China;14
880;Bangladesh;30
886;Taiwan;18
90;Turkey;30
905;Turkey mobile;160
91;India;12
92;Pakistan;80
93;Afghanistan;310
94;Sri Lanka;240
95;Myanmar;290
960;Maldives;780
961;Lebanon;130
962;Jordan;180
963;Syria;210
964;Iraq;230
965;Kuwait;70
966;Saudi Arabia;110
967;Yemen;190
968;Oman;240
970;Palestine;210
971;United Arab Emirates;200
972;Israel;9
9725;Israel mobile;40
973;Bahrain;110
974;Qatar;220
975;Bhutan;80
976;Mongolia;40
977;Nepal;150
98;Iran;110
992;Tajikistan;210
993;Turkmenistan;190
994;Azerbaijan;290
995;Georgia;150
996;Kyrgyzstan;190
998;Uzbekistan;110`
